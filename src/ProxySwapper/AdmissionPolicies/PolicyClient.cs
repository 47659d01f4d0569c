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

    /// <summary>The binding, or null.</summary>
    public async Task<JsonObject?> FindBindingAsync(CancellationToken cancellationToken)
    {
        var path = PathOf(await FindVersionAsync(cancellationToken), "mutatingadmissionpolicybindings");
        var binding = await client.GetAsync(path, cancellationToken);
        // An API server that was upgraded may no longer serve this version.
        if (binding is null)
            _version = null;
        return binding;
    }

    /// <summary>The policy, or null.</summary>
    public async Task<JsonObject?> FindAsync(CancellationToken cancellationToken) =>
        await client.GetAsync(PathOf(await FindVersionAsync(cancellationToken), Policies), cancellationToken);

    /// <summary>
    /// Applies the policy, taking over every field of its spec. Server-side apply leaves what other managers added, such as a match
    /// condition, and shares fields that they set to the same value (<see
    /// href="https://kubernetes.io/docs/reference/using-api/server-side-apply/#conflicts"/>); a merge patch ends both.
    /// </summary>
    /// <returns>The policy as it is then.</returns>
    /// <exception cref="KubernetesException">The server returned an error or did not respond.</exception>
    public async Task<JsonObject> ApplyAsync(AdmissionPolicy policy, CancellationToken cancellationToken)
    {
        var version = await FindVersionAsync(cancellationToken);
        var path = $"{PathOf(version, Policies)}?fieldManager={PolicyController.FieldManager}";
        var wanted = new PolicyObjects(name, version).PolicyOf(policy);
        var applied = await client.PatchAsync($"{path}&force=true", PatchKind.Apply, wanted, cancellationToken);
        if (!WrittenPolicy.IsOfAnother(applied))
            return applied;
        var patch = new JsonObject
        {
            ["metadata"] = new JsonObject
            {
                ["resourceVersion"] = applied["metadata"]?["resourceVersion"]?.DeepClone(),
                ["managedFields"] = WrittenPolicy.WithoutOthers(applied),
            },
            ["spec"] = wanted["spec"]!.DeepClone(),
        };
        return await client.PatchAsync(path, PatchKind.Merge, patch, cancellationToken);
    }

    /// <summary>The newest version of the API group that serves policies.</summary>
    private async Task<string> FindVersionAsync(CancellationToken cancellationToken)
    {
        if (_version is not null)
            return _version;
        foreach (var version in Versions)
        {
            var group = await client.GetAsync($"/apis/{Group}/{version}", cancellationToken);
            if (group?["resources"] is JsonArray resources && resources.Any(resource => resource.Text("name") == Policies))
                return _version = version;
        }
        throw new KubernetesConnectionException(
            "this API server does not serve MutatingAdmissionPolicy: it requires Kubernetes 1.36, or 1.33 or later "
                + "with the feature gate and the API version enabled"
        );
    }

    private string PathOf(string version, string resource) => $"/apis/{Group}/{version}/{resource}/{Uri.EscapeDataString(name)}";
}
