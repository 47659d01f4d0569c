using ProxySwapper.Kubernetes;
using ProxySwapper.Kubernetes.Connection;
using ProxySwapper.Registry;

namespace ProxySwapper.Population.Cluster;

/// <summary>
/// The cluster that the webhook serves: from the Pod's service account or the files of <c>KUBECONFIG</c>; none without either.
/// </summary>
internal sealed partial class KubernetesAccess(KubernetesClient? client, string? podName = null, string? webhookName = null) : IDisposable
{
    /// <summary>
    /// The client, or null: then nothing is reconciled, no pull secrets are read, no Events are written, and reviews are believed: the
    /// images that they name are copied, with our own credentials only.
    /// </summary>
    public KubernetesClient? Client { get; } = client;

    /// <summary>
    /// The Pod of this process: from the chart's variables, or the host name, which is the Pod's unless it uses the host network.
    /// </summary>
    public string PodName { get; } = string.IsNullOrEmpty(podName) ? Environment.MachineName.ToLowerInvariant() : podName;

    /// <summary>The MutatingWebhookConfiguration of the release, where the chart says so.</summary>
    public string? WebhookName { get; } = string.IsNullOrEmpty(webhookName) ? null : webhookName;

    public static KubernetesAccess Create(EnvironmentVariables environment, TimeProvider time, ILogger<KubernetesAccess> logger)
    {
        // A kubeconfig in the home directory is the user's, not that of the cluster whose reviews we get.
        if (!string.IsNullOrEmpty(environment["KUBECONFIG"]))
            return Of(KubernetesConnection.Find(null, null, environment, time));
        if (InClusterConnection.Find(environment, time) is { } connection)
            return Of(connection);
        Log.None(logger);
        return new(null);

        KubernetesAccess Of(KubernetesConnection connection) =>
            new(new KubernetesClient(connection, time, logger), environment["POD_NAME"], environment["WEBHOOK_NAME"]);
    }

    public void Dispose() => Client?.Dispose();

    private static partial class Log
    {
        [LoggerMessage(
            1,
            LogLevel.Information,
            "No Kubernetes API configured: running Pods are not reconciled, no pull secrets are read and no Events are written; "
                + "unless populate.policy is none, images of reviews are copied without checking that their Pods exist"
        )]
        public static partial void None(ILogger logger);
    }
}
