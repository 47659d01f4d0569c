using ProxySwapper.Admission;
using ProxySwapper.Kubernetes;

namespace ProxySwapper.Population.Gates;

/// <summary>Releases all gated Pods at once: for commands, when the program is not running.</summary>
internal sealed class GateLifter(KubernetesClient client, GateReleaser releaser, TimeProvider time)
{
    private const string Reason = "released by the command proxyswapper";

    /// <summary>A Pod whose admission was in flight when the webhook was removed is not in the first list.</summary>
    private const int MinimumRounds = 2;
    private const int MaximumRounds = 5;
    private static readonly TimeSpan RoundInterval = TimeSpan.FromSeconds(2);

    /// <summary>Releases all of them.</summary>
    /// <param name="namespace">One namespace, or null for all.</param>
    /// <param name="keepsImages">True to keep the rewritten images; otherwise the originals are restored.</param>
    /// <param name="done">Receives each Pod with its result, or null and the error.</param>
    /// <param name="cancellationToken">Cancels the call.</param>
    /// <exception cref="KubernetesException">The Pods cannot be listed.</exception>
    public async Task ReleaseAllAsync(
        string? @namespace,
        bool keepsImages,
        Action<GatedPod, GateResult?, string?> done,
        CancellationToken cancellationToken
    )
    {
        var pods = new PodClient(client);
        var query = new ResourceQuery(ResourceType.Pods, @namespace) { LabelSelector = GateLabels.Gated };
        var plan = new ReleasePlan(Reason, _ => false) { KeepsImages = keepsImages };
        var seen = new HashSet<string>(StringComparer.Ordinal);
        for (var round = 1; ; round++)
        {
            var isLast = true;
            await foreach (var pod in pods.ListAsync(query, GatedPod.Read, cancellationToken))
            {
                if (pod is null || !seen.Add(pod.Uid))
                    continue;
                isLast = false;
                try
                {
                    var outcome = await releaser.ReleaseAsync(pods, pod, plan, cancellationToken);
                    done(pod, outcome.Result, null);
                }
                catch (KubernetesException problem)
                {
                    done(pod, null, problem.Message);
                }
            }
            if (round >= MaximumRounds || isLast && round >= MinimumRounds)
                return;
            await Task.Delay(RoundInterval, time, cancellationToken);
        }
    }
}
