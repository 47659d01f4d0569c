namespace ProxySwapper.Manifests;

/// <summary>Kubernetes' own kinds, whose fields are known. Others are of extensions, such as custom resources.</summary>
internal static class BuiltInKinds
{
    /// <summary>The API groups without a dot in their names, in addition to the core group.</summary>
    private static readonly HashSet<string> Groups = ["apps", "autoscaling", "batch", "extensions", "policy"];

    private static readonly HashSet<string> PodCreators =
    [
        "Pod",
        "PodTemplate",
        "ReplicationController",
        "ReplicaSet",
        "Deployment",
        "StatefulSet",
        "DaemonSet",
        "Job",
        "CronJob",
    ];

    private static readonly HashSet<string> Others =
    [
        "Binding",
        "ClusterRole",
        "ClusterRoleBinding",
        "ComponentStatus",
        "ConfigMap",
        "ControllerRevision",
        "CustomResourceDefinition",
        "Endpoints",
        "EndpointSlice",
        "Event",
        "Eviction",
        "HorizontalPodAutoscaler",
        "Ingress",
        "IngressClass",
        "LimitRange",
        "List",
        "MutatingAdmissionPolicyBinding",
        "MutatingWebhookConfiguration",
        "Namespace",
        "NetworkPolicy",
        "Node",
        "PersistentVolume",
        "PersistentVolumeClaim",
        "PodDisruptionBudget",
        "PodSecurityPolicy",
        "PriorityClass",
        "ResourceQuota",
        "Role",
        "RoleBinding",
        "Scale",
        "Secret",
        "Service",
        "ServiceAccount",
        "Status",
        "StorageClass",
        "ValidatingWebhookConfiguration",
    ];

    /// <summary>Whether a built-in kind has a Pod template, or is a Pod.</summary>
    public static bool CreatesPods(string kind) => PodCreators.Contains(kind);

    /// <summary>
    /// True for API groups under <c>k8s.io</c>, except extensions of its projects, under <c>x-k8s.io</c>. In groups without a dot, and
    /// without any, the kind or that of its list decides: custom resources always have a dot, but manifests can be wrong.
    /// </summary>
    public static bool Contains(string apiVersion, string kind) =>
        apiVersion.Split('/') switch
        {
            [var group, _] when group.EndsWith(".k8s.io", StringComparison.Ordinal) => true,
            [var group, _] when !Groups.Contains(group) => false,
            _ => kind.Length == 0 || IsKnown(kind) || kind.EndsWith("List", StringComparison.Ordinal) && IsKnown(kind[..^4]),
        };

    private static bool IsKnown(string kind) => PodCreators.Contains(kind) || Others.Contains(kind);
}
