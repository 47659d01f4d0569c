using ProxySwapper.Kubernetes;

namespace ProxySwapper.Population.Cluster;

/// <summary>
/// The cluster that the webhook serves: its Pod's account, or the files of <c>KUBECONFIG</c>; none on a machine without either.
/// </summary>
internal sealed partial class KubernetesAccess(KubernetesClient? client, string? podName = null) : IDisposable
{
    /// <summary>The API, or null: then nothing is reconciled, no pull secret is read and no Event is written.</summary>
    public KubernetesClient? Client { get; } = client;

    /// <summary>
    /// The Pod that this process runs in: as the chart says, or its host's name, which is the Pod's own unless it uses the node's network.
    /// </summary>
    public string PodName { get; } = string.IsNullOrEmpty(podName) ? Environment.MachineName.ToLowerInvariant() : podName;

    public static KubernetesAccess Create(Func<string, string?> environment, TimeProvider time, ILogger<KubernetesAccess> logger)
    {
        // A kubeconfig that merely lies in the home directory is a person's, and not the cluster that sends us its reviews.
        if (!string.IsNullOrEmpty(environment("KUBECONFIG")))
            return new(new KubernetesClient(KubernetesConnection.Find(null, null, environment, time), time), environment("POD_NAME"));
        if (InClusterConnection.Find(environment, time) is { } connection)
            return new(new KubernetesClient(connection, time), environment("POD_NAME"));
        Log.None(logger);
        return new(null);
    }

    public void Dispose() => Client?.Dispose();

    private static partial class Log
    {
        [LoggerMessage(
            1,
            LogLevel.Information,
            "No Kubernetes API here: running Pods are not reconciled, no pull secrets are read and no Events are written"
        )]
        public static partial void None(ILogger logger);
    }
}
