using ProxySwapper.Configuration;
using ProxySwapper.Management;
using ProxySwapper.Population.Cluster;
using ProxySwapper.Rules;

namespace ProxySwapper.Population;

/// <summary>
/// Whether Pods can be held back for their images yet. A replica that gates takes no review before it can, or Pods that it swaps would
/// pull too early; but an API server that does not let us watch holds a start up for a few seconds only: swapped is better than not.
/// Later the state is told, and nothing more.
/// </summary>
internal sealed class PodWatchReadiness(
    PodWatch watch,
    ClusterCapabilities cluster,
    KubernetesAccess kubernetes,
    ConfigurationMonitor rules,
    TimeProvider time
)
{
    /// <summary>How long the start waits.</summary>
    public static readonly TimeSpan LongestWait = TimeSpan.FromSeconds(10);

    private readonly long _started = time.GetTimestamp();
    private volatile bool _isStarted;

    /// <summary>How it is now.</summary>
    public ReadinessState State
    {
        get
        {
            _isStarted |=
                kubernetes.Client is null
                || rules.Current.Options.Populate.Policy != PopulatePolicy.Gate
                || watch.IsConnected && cluster.IsAsked
                || time.GetElapsedTime(_started) >= LongestWait;
            return new(_isStarted, watch.Describe());
        }
    }
}
