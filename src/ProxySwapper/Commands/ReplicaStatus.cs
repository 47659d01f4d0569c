using System.Text.Json;
using ProxySwapper.Kubernetes;

namespace ProxySwapper.Commands;

/// <summary>A running replica, whose state is read by port-forward.</summary>
/// <param name="Namespace">The Pod's namespace.</param>
/// <param name="Name">The Pod's name.</param>
/// <param name="Port">Its management port.</param>
internal sealed record ReplicaStatus(string Namespace, string Name, int Port)
{
    /// <summary>The labels of the chart's Pods.</summary>
    public const string DefaultSelector = "app.kubernetes.io/name=proxyswapper,app.kubernetes.io/component=webhook";

    private const string PortName = "management";
    private const int DefaultPort = 9090;

    /// <summary>The running replicas, by name.</summary>
    /// <exception cref="KubernetesException">Pods may not be listed.</exception>
    public static async Task<IReadOnlyList<ReplicaStatus>> FindAsync(
        KubernetesClient client,
        string? @namespace,
        string selector,
        CancellationToken cancellationToken
    )
    {
        var found = new List<ReplicaStatus>();
        var query = ResourceQuery.LivePods(@namespace, selector);
        await foreach (var replica in new ResourceLister(client).ListAsync(query, Read, cancellationToken))
            if (replica is not null)
                found.Add(replica);
        return [.. found.Distinct().OrderBy(replica => (replica.Namespace, replica.Name))];
    }

    /// <summary>The <c>/populate</c> of the replica.</summary>
    /// <param name="client">The API server.</param>
    /// <param name="token">The management token, or null.</param>
    /// <param name="cancellationToken">Cancels the call.</param>
    /// <exception cref="KubernetesException">The API server or kubelet returned an error.</exception>
    /// <exception cref="ManagementException">The Pod did not respond, or returned an error.</exception>
    public async Task<JsonDocument> ReadAsync(KubernetesClient client, string? token, CancellationToken cancellationToken)
    {
        await using var connection = await client.ForwardAsync(Namespace, Name, Port, cancellationToken);
        using var management = new ManagementClient(new Uri($"http://localhost:{Port}"), token, connection);
        return await management.GetAsync(cancellationToken);
    }

    private static ReplicaStatus? Read(JsonElement pod)
    {
        var metadata = pod.Member("metadata");
        if (pod.Text("status", "phase") != "Running")
            return null;
        var port = pod.Items("spec", "containers")
            .SelectMany(container => container.Items("ports"))
            .Where(port => port.Text("name") == PortName)
            .Select(port => port.Member("containerPort"))
            .FirstOrDefault(number => number.ValueKind == JsonValueKind.Number);
        return metadata.Text("namespace") is { } @namespace && metadata.Text("name") is { } name
            ? new(@namespace, name, port.ValueKind == JsonValueKind.Number ? port.GetInt32() : DefaultPort)
            : null;
    }
}
