using ProxySwapper.Kubernetes;
using ProxySwapper.Kubernetes.Connection;

namespace ProxySwapper.Population.Cluster;

/// <summary>Reports in Events of this program's own Pod that a registry started to fail or has recovered.</summary>
internal sealed partial class HealthEvents(KubernetesAccess kubernetes, TimeProvider time, ILogger<HealthEvents> logger)
{
    private const string Action = "Watch";

    public async Task ReportAsync(string registry, string? fault, bool fallsBack, CancellationToken cancellationToken)
    {
        if (kubernetes.Client is not { } client)
            return;
        var consequence = fallsBack ? "Its images are left unchanged until it recovers." : "Its images are still rewritten.";
        var content = fault is null
            ? new EventContent("RegistryRecovered", Action, $"{registry} has recovered.", IsWarning: false)
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
        [LoggerMessage(1, LogLevel.Warning, "Cannot write the Event for {Registry}: {Fault}")]
        public static partial void Failed(ILogger logger, string registry, string fault);
    }
}
