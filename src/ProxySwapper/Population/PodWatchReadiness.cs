using ProxySwapper.Configuration;
using ProxySwapper.Management;
using ProxySwapper.Population.Cluster;
using ProxySwapper.Rules;

namespace ProxySwapper.Population;

/// <summary>
/// Whether Pods can be gated yet. A replica that gates accepts no reviews before it watches Pods, or Pods would pull too early; but an API
/// server that does not allow the watch only delays the start by a few seconds: swapping without gates is better than not swapping.
/// Afterwards the state is only informational.
/// </summary>
internal sealed class PodWatchReadiness(
    PodWatch watch,
    ClusterCapabilities cluster,
    KubernetesAccess kubernetes,
    ConfigurationMonitor rules,
    TimeProvider time
) : IReadinessCheck
{
    /// <summary>How long the start waits.</summary>
    public static readonly TimeSpan LongestWait = TimeSpan.FromSeconds(10);

    private readonly long _started = time.GetTimestamp();
    private volatile bool _isStarted;

    public string CheckName => "watch";

    public ReadinessState State
    {
        get
        {
            _isStarted |=
                kubernetes.Client is null
                || rules.Current.Options.Populate.Policy != PopulatePolicy.Gate
                || watch.IsConnected && cluster.IsKnown
                || time.GetElapsedTime(_started) >= LongestWait;
            return new(_isStarted, watch.Describe());
        }
    }
}
