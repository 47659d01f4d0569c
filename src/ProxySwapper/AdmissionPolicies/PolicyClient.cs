using System.Text.Json.Nodes;
using ProxySwapper.Kubernetes;
using ProxySwapper.Kubernetes.Connection;

namespace ProxySwapper.AdmissionPolicies;

/// <summary>One policy and its binding at the API server, in the newest version that it serves.</summary>
/// <param name="client">The API server.</param>
/// <param name="name">The name of both.</param>
internal sealed class PolicyClient(KubernetesClient client, string name)
{
    private const string Group = "admissionregistration.k8s.io";
    private const string Policies = "mutatingadmissionpolicies";
    private static readonly string[] Versions = ["v1", "v1beta1", "v1alpha1"];

    private string? _version;

    public string Name => name;

    public async Task<bool> HasBindingAsync(CancellationToken cancellationToken) =>
        await client.GetAsync(PathOf(await FindVersionAsync(cancellationToken), "mutatingadmissionpolicybindings"), cancellationToken)
            is not null;

    /// <summary>The policy, or null.</summary>
    public async Task<JsonObject?> FindAsync(CancellationToken cancellationToken) =>
        await client.GetAsync(PathOf(await FindVersionAsync(cancellationToken), Policies), cancellationToken);

    /// <summary>Applies the policy, taking over conflicting fields.</summary>
    /// <exception cref="KubernetesException">The server refused or did not answer.</exception>
    public async Task ApplyAsync(AdmissionPolicy policy, CancellationToken cancellationToken)
    {
        var version = await FindVersionAsync(cancellationToken);
        await client.PatchAsync(
            $"{PathOf(version, Policies)}?fieldManager={PolicyController.FieldManager}&force=true",
            PatchKind.Apply,
            new PolicyObjects(name, version).PolicyOf(policy),
            cancellationToken
        );
    }

    /// <summary>The newest version of the API group that serves policies.</summary>
    private async Task<string> FindVersionAsync(CancellationToken cancellationToken)
    {
        if (_version is not null)
            return _version;
        foreach (var version in Versions)
        {
            var group = await client.GetAsync($"/apis/{Group}/{version}", cancellationToken);
            if (group?["resources"] is JsonArray resources && resources.Any(resource => (string?)resource?["name"] == Policies))
                return _version = version;
        }
        throw new KubernetesConnectionException(
            "this API server does not serve MutatingAdmissionPolicy: it requires Kubernetes 1.36, or 1.32 or later "
                + "with the feature gate and the API version enabled"
        );
    }

    private string PathOf(string version, string resource) => $"/apis/{Group}/{version}/{resource}/{Uri.EscapeDataString(name)}";
}
