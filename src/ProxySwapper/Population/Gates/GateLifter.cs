using ProxySwapper.Kubernetes;

namespace ProxySwapper.Population.Gates;

/// <summary>Releases all gated Pods at once: for commands, when the program is not running.</summary>
internal sealed class GateLifter(KubernetesClient client, GateReleaser releaser, TimeProvider time)
{
    private const string Reason = "released by the command proxyswapper";

    /// <summary>A Pod whose admission was in flight when the webhook was removed is not in the first list.</summary>
    private const int MinimumRounds = 2;

    /// <summary>For Pods that fail and Pods that are created meanwhile.</summary>
    private const int MaximumRounds = 6;

    /// <summary>
    /// After this round an internal error counts as a rejection of the restored images: a Pod with its rewritten images is better
    /// off than one that waits for ever.
    /// </summary>
    private const int LastRoundWithChanges = 3;

    public static readonly TimeSpan RoundInterval = TimeSpan.FromSeconds(2);

    /// <summary>Releases all of them; those that fail are tried again in the next rounds.</summary>
    /// <param name="namespace">One namespace, or null for all.</param>
    /// <param name="keepsImages">True to keep the rewritten images; otherwise the originals are restored.</param>
    /// <param name="done">Receives each Pod with its result, or null and the error if no attempt succeeded.</param>
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
        // Not by our label, which somebody may have removed. A Pod behind a gate has no node.
        var query = new ResourceQuery(ResourceType.Pods, @namespace) { FieldSelector = "spec.nodeName=" };
        var plan = new ReleasePlan(Reason, _ => false) { KeepsImages = keepsImages };
        var ended = new HashSet<string>(StringComparer.Ordinal);
        for (var round = 1; ; round++)
        {
            var isLast = true;
            plan = plan with { MayDropChanges = round > LastRoundWithChanges };
            try
            {
                await foreach (var pod in pods.ListAsync(query, GatedPod.Read, cancellationToken))
                {
                    if (pod is null || ended.Contains(pod.Uid))
                        continue;
                    isLast = false;
                    if (await ReleaseAsync(pod, round == MaximumRounds))
                        ended.Add(pod.Uid);
                }
            }
            catch (KubernetesException problem) when (!problem.IsRejection && round < MaximumRounds)
            {
                // Listed again in the next round.
                isLast = false;
            }
            if (round >= MaximumRounds || isLast && round >= MinimumRounds)
                return;
            await Task.Delay(RoundInterval, time, cancellationToken);
        }

        async Task<bool> ReleaseAsync(GatedPod pod, bool isLastAttempt)
        {
            try
            {
                var outcome = await releaser.ReleaseAsync(pods, pod, plan, cancellationToken);
                done(pod, outcome.Result, null);
                return true;
            }
            catch (KubernetesException problem)
            {
                if (isLastAttempt)
                    done(pod, null, problem.Message);
                return false;
            }
        }
    }
}
