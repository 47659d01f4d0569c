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
        "ClusterRole",
        "ClusterRoleBinding",
        "ConfigMap",
        "CustomResourceDefinition",
        "Endpoints",
        "EndpointSlice",
        "HorizontalPodAutoscaler",
        "Ingress",
        "IngressClass",
        "LimitRange",
        "List",
        "MutatingAdmissionPolicyBinding",
        "MutatingWebhookConfiguration",
        "Namespace",
        "NetworkPolicy",
        "PersistentVolume",
        "PersistentVolumeClaim",
        "PodDisruptionBudget",
        "PriorityClass",
        "ResourceQuota",
        "Role",
        "RoleBinding",
        "Secret",
        "Service",
        "ServiceAccount",
        "StorageClass",
        "ValidatingWebhookConfiguration",
    ];

    /// <summary>Whether a built-in kind has a Pod template, or is a Pod.</summary>
    public static bool CreatesPods(string kind) => PodCreators.Contains(kind);

    /// <summary>
    /// True for API groups without a dot, and those under <c>k8s.io</c>, except extensions of its projects, under <c>x-k8s.io</c>. Without
    /// a group, the kind decides.
    /// </summary>
    public static bool Contains(string apiVersion, string kind) =>
        apiVersion.Split('/') switch
        {
            [var group, _] => Groups.Contains(group) || group.EndsWith(".k8s.io", StringComparison.Ordinal),
            ["v1"] => true,
            _ => kind.Length == 0 || PodCreators.Contains(kind) || Others.Contains(kind),
        };
}
