using ProxySwapper.Kubernetes;

namespace ProxySwapper.Population.Cluster;

/// <summary>Tells the cluster, by Events of this program's own Pod, that a registry began to fail or answers again.</summary>
internal sealed partial class HealthEvents(KubernetesAccess kubernetes, TimeProvider time, ILogger<HealthEvents> logger)
{
    private const string Action = "Watch";

    public async Task TellAsync(string registry, string? fault, bool fallsBack, CancellationToken cancellationToken)
    {
        if (kubernetes.Client is not { } client)
            return;
        var consequence = fallsBack
            ? "Images for it are let through unchanged until it answers."
            : "Images for it are rewritten all the same.";
        var content = fault is null
            ? new EventContent("RegistryRecovered", Action, $"{registry} answers again.", IsWarning: false)
            : new EventContent("RegistryFailing", Action, $"{registry} is failing: {fault}. {consequence}");
        try
        {
            var subject = new EventSubject("v1", "Pod", client.Namespace, kubernetes.PodName, null);
            await new EventWriter(client, kubernetes.PodName, time).WriteAsync(subject, content, cancellationToken);
        }
        catch (Exception problem) when (problem is KubernetesException or KubernetesConnectionException)
        {
            Log.Failed(logger, registry, problem.Message);
        }
    }

    private static partial class Log
    {
        [LoggerMessage(1, LogLevel.Warning, "The Event on {Registry} cannot be written: {Fault}")]
        public static partial void Failed(ILogger logger, string registry, string fault);
    }
}
