namespace ProxySwapper.Kubernetes;

/// <summary>
/// A kind of object, by its names in the API server's paths
/// (<see href="https://kubernetes.io/docs/reference/using-api/api-concepts/#resource-uris">API concepts, Resource URIs</see>).
/// </summary>
/// <param name="GroupVersion">Group and version, such as <c>apps/v1</c>; <c>v1</c> for the core group.</param>
/// <param name="Plural">The resource, such as <c>deployments</c>.</param>
internal sealed record ResourceType(string GroupVersion, string Plural)
{
    public static ResourceType Pods { get; } = new("v1", "pods");

    public static ResourceType Secrets { get; } = new("v1", "secrets");

    public static ResourceType ServiceAccounts { get; } = new("v1", "serviceaccounts");

    public static ResourceType ConfigMaps { get; } = new("v1", "configmaps");

    public static ResourceType Events { get; } = new("events.k8s.io/v1", "events");

    public static ResourceType Leases { get; } = new("coordination.k8s.io/v1", "leases");

    public static ResourceType SelfSubjectAccessReviews { get; } = new("authorization.k8s.io/v1", "selfsubjectaccessreviews");

    public static ResourceType MutatingWebhookConfigurations { get; } =
        new("admissionregistration.k8s.io/v1", "mutatingwebhookconfigurations");

    /// <summary>The path of the objects of one namespace; null for all namespaces or a cluster-scoped resource.</summary>
    public string CollectionPath(string? @namespace = null)
    {
        var root = GroupVersion.Contains('/', StringComparison.Ordinal) ? $"/apis/{GroupVersion}" : $"/api/{GroupVersion}";
        return @namespace is null ? $"{root}/{Plural}" : $"{root}/namespaces/{Uri.EscapeDataString(@namespace)}/{Plural}";
    }

    /// <summary>The path of one object.</summary>
    /// <param name="namespace">Its namespace, or null if the resource is cluster-scoped.</param>
    /// <param name="name">Its name; escaped here.</param>
    public string ObjectPath(string? @namespace, string name) => $"{CollectionPath(@namespace)}/{Uri.EscapeDataString(name)}";
}
