using System.Net;
using System.Text.Json;
using System.Text.Json.Nodes;
using ProxySwapper.Kubernetes;

namespace ProxySwapper.Population.Gates;

/// <summary>
/// Lets one gated Pod go, by one patch. What the API server says against it decides what is tried next: the Pod is read anew when it
/// looks different; where originals must not be put back the gate alone is lifted, since a Pod never hangs because of us.
/// </summary>
internal sealed partial class GateReleaser(ILogger<GateReleaser> logger)
{
    /// <summary>Who changes the Pod, as <c>managedFields</c> and webhooks show it.</summary>
    public const string FieldManager = "proxyswapper-gate";

    private const int MaximumAttempts = 5;

    /// <summary>Lets a Pod go.</summary>
    /// <param name="pods">The API server.</param>
    /// <param name="pod">The Pod as it was seen.</param>
    /// <param name="plan">What becomes of its images.</param>
    /// <param name="cancellationToken">Ends the call.</param>
    /// <exception cref="KubernetesException">The API server did not answer, or refuses that the gate is lifted.</exception>
    public async Task<ReleaseOutcome> ReleaseAsync(PodClient pods, GatedPod pod, ReleasePlan plan, CancellationToken cancellationToken)
    {
        var meant = pod.Images;
        for (var attempt = 1; ; attempt++)
        {
            var changes = plan.ChangesOf(pod);
            var restored = changes.Where(change => change.Image == change.Place.Original).Select(change => change.Place).ToList();
            try
            {
                var patch = GatePatch.Build(pod, changes, restored.Count > 0 ? plan.Reason : null);
                await pods.PatchAsync(pod.Namespace, pod.Name, patch, FieldManager, cancellationToken);
                return new ReleaseOutcome(
                    restored.Count > 0 ? GateResult.Restored
                        : plan.IsFailure ? GateResult.Kept
                        : GateResult.Released,
                    restored
                );
            }
            catch (KubernetesException problem) when (problem.Status == HttpStatusCode.NotFound)
            {
                return new ReleaseOutcome(GateResult.Gone, []);
            }
            catch (KubernetesException problem)
                when (attempt < MaximumAttempts && problem.Status is HttpStatusCode.UnprocessableEntity or HttpStatusCode.Conflict)
            {
                // Somebody lifted it, or it looks different.
                if (await ReadAsync(pods, pod, cancellationToken) is not { } seen)
                    return new ReleaseOutcome(GateResult.Gone, []);
                if (seen.Gate is not { } gated)
                    return new ReleaseOutcome(GateResult.LiftedByOthers, []);
                if (changes.Count > 0 && problem.Status == HttpStatusCode.UnprocessableEntity && IsSame(gated, pod))
                    plan = WithoutChanges(plan, pod, problem);
                // An image that somebody else set meanwhile is not ours to put back.
                pod = gated with
                {
                    Images = [.. gated.Images.Where(meant.Contains)],
                };
            }
            catch (KubernetesException problem)
                when (attempt < MaximumAttempts && problem.Status == HttpStatusCode.Forbidden && changes.Count > 0)
            {
                plan = WithoutChanges(plan, pod, problem);
            }
        }
    }

    /// <summary>Reads a Pod with the right to patch it; null when that very Pod is gone.</summary>
    private static async Task<Seen?> ReadAsync(PodClient pods, GatedPod pod, CancellationToken cancellationToken)
    {
        if (await pods.ReadByPatchAsync(pod.Namespace, pod.Name, cancellationToken) is not JsonObject found)
            return null;
        if ((string?)found["metadata"]?["uid"] != pod.Uid)
            return null;
        using var document = JsonDocument.Parse(found.ToJsonString());
        return new Seen(GatedPod.Read(document.RootElement));
    }

    /// <summary>The patch did apply to what is there, and was refused for what it changes.</summary>
    private static bool IsSame(GatedPod one, GatedPod other) =>
        one.GateIndex == other.GateIndex && one.HasLabel == other.HasLabel && one.Images.SequenceEqual(other.Images);

    private ReleasePlan WithoutChanges(ReleasePlan plan, GatedPod pod, KubernetesException problem)
    {
        Log.NotChanged(logger, pod.ToString(), problem.Message);
        return plan with { KeepsImages = true };
    }

    private sealed record Seen(GatedPod? Gate);

    private static partial class Log
    {
        [LoggerMessage(1, LogLevel.Error, "The images of Pod {Pod} cannot be changed, so it starts with those that it has: {Error}")]
        public static partial void NotChanged(ILogger logger, string pod, string error);
    }
}

/// <summary>What was done with a gated Pod.</summary>
/// <param name="Result">What became of it.</param>
/// <param name="Restored">The images whose originals were put back.</param>
internal readonly record struct ReleaseOutcome(GateResult Result, IReadOnlyList<GatedImage> Restored);

/// <summary>How a gated Pod is let go.</summary>
/// <param name="Reason">Why its originals are put back; null when all its images are downstream.</param>
/// <param name="IsDownstream">Whether an image is downstream, and so stays.</param>
internal sealed record ReleasePlan(string? Reason, Func<string, bool> IsDownstream)
{
    /// <summary>Images stay as they are, downstream or not (<c>populate.gate.onFailure: keep</c>).</summary>
    public bool KeepsImages { get; init; }

    /// <summary>The reference with digest of an image that is downstream, or null (<c>populate.gate.pinDigests</c>).</summary>
    public Func<string, string?>? Pin { get; init; }

    /// <summary>Whether not all images came downstream.</summary>
    public bool IsFailure => Reason is not null;

    /// <summary>The images of a Pod that change, and to what.</summary>
    public List<(GatedImage Place, string Image)> ChangesOf(GatedPod pod)
    {
        var changes = new List<(GatedImage, string)>();
        if (KeepsImages)
            return changes;
        foreach (var image in pod.Images)
            if (!IsDownstream(image.Image))
            {
                if (IsFailure)
                    changes.Add((image, image.Original));
            }
            else if (Pin?.Invoke(image.Image) is { } pinned)
                changes.Add((image, pinned));
        return changes;
    }
}

/// <summary>What became of a gated Pod; the names, in snake_case, are values of a metric's label.</summary>
internal enum GateResult
{
    /// <summary>All its images are downstream.</summary>
    Released,

    /// <summary>It goes with original images.</summary>
    Restored,

    /// <summary>It goes with images that are not downstream.</summary>
    Kept,

    /// <summary>Somebody else lifted the gate: another replica, or an administrator.</summary>
    LiftedByOthers,

    /// <summary>The Pod was deleted.</summary>
    Gone,
}
