using System.Net;
using System.Text.Json;
using System.Text.Json.Nodes;
using ProxySwapper.Kubernetes;

namespace ProxySwapper.Population.Gates;

/// <summary>
/// Releases one gated Pod with one patch. The API server's error decides what is tried next: the Pod is read again if it has changed; if
/// the originals cannot be restored, only the gate is lifted, since a Pod must never hang because of us.
/// </summary>
internal sealed partial class GateReleaser(ILogger<GateReleaser> logger)
{
    /// <summary>The field manager, which <c>managedFields</c> and webhooks show.</summary>
    public const string FieldManager = "proxyswapper-gate";

    private const int MaximumAttempts = 5;

    /// <summary>Releases a Pod.</summary>
    /// <param name="pods">The API server.</param>
    /// <param name="pod">The Pod as last seen.</param>
    /// <param name="plan">What to do with its images.</param>
    /// <param name="cancellationToken">Cancels the call.</param>
    /// <exception cref="KubernetesException">The API server did not respond, or rejects the removal of the gate.</exception>
    public async Task<ReleaseOutcome> ReleaseAsync(PodClient pods, GatedPod pod, ReleasePlan plan, CancellationToken cancellationToken)
    {
        var meant = pod.Images;
        for (var attempt = 1; ; attempt++)
        {
            var changes = plan.ChangesOf(pod);
            var restored = changes.Where(change => change.New == change.Image.Original).Select(change => change.Image).ToList();
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
                // The gate was lifted by someone else, or the Pod has changed.
                if (await ReadAsync(pods, pod, cancellationToken) is not { } seen)
                    return new ReleaseOutcome(GateResult.Gone, []);
                if (seen.Gate is not { } gated)
                    return new ReleaseOutcome(GateResult.LiftedByOthers, []);
                if (changes.Count > 0 && problem.Status == HttpStatusCode.UnprocessableEntity && IsSame(gated, pod))
                    plan = WithoutChanges(plan, pod, problem);
                // An image changed by someone else must not be restored.
                pod = gated with
                {
                    Images = [.. gated.Images.Where(meant.Contains)],
                };
            }
            catch (KubernetesException problem)
                when (attempt < MaximumAttempts
                    && changes.Count > 0
                    && (problem.IsRejection || plan.MayDropChanges && problem.Status == HttpStatusCode.InternalServerError)
                )
            {
                plan = WithoutChanges(plan, pod, problem);
            }
        }
    }

    /// <summary>Reads a Pod with the permission to patch it; null if that Pod is gone.</summary>
    private static async Task<Seen?> ReadAsync(PodClient pods, GatedPod pod, CancellationToken cancellationToken)
    {
        if (await pods.ReadByPatchAsync(pod.Namespace, pod.Name, cancellationToken) is not JsonObject found)
            return null;
        if (found.Text("metadata", "uid") != pod.Uid)
            return null;
        using var document = JsonDocument.Parse(found.ToJsonString());
        return new Seen(GatedPod.Read(document.RootElement));
    }

    /// <summary>Whether the patch applied but its changes were rejected.</summary>
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
        [LoggerMessage(1, LogLevel.Error, "Cannot restore the images of Pod {Pod}, which starts with the current ones: {Error}")]
        public static partial void NotChanged(ILogger logger, string pod, string error);
    }
}

/// <summary>The result of releasing a gated Pod.</summary>
/// <param name="Result">How it was released.</param>
/// <param name="Restored">The images that were restored.</param>
internal readonly record struct ReleaseOutcome(GateResult Result, IReadOnlyList<GatedImage> Restored);

/// <summary>How to release a gated Pod.</summary>
/// <param name="Reason">Why its originals are restored; null if all its images are downstream.</param>
/// <param name="IsDownstream">Whether an image is downstream, and therefore stays.</param>
internal sealed record ReleasePlan(string? Reason, Func<string, bool> IsDownstream)
{
    /// <summary>Images stay unchanged, downstream or not (<c>populate.gate.onFailure: keep</c>).</summary>
    public bool KeepsImages { get; init; }

    /// <summary>
    /// Whether an internal error of the API server (500) counts as a rejection of the changes, as it may be one of an admission webhook.
    /// </summary>
    public bool MayDropChanges { get; init; }

    /// <summary>Returns the reference with digest of a downstream image, or null (<c>populate.gate.pinDigests</c>).</summary>
    public Func<string, string?>? Pin { get; init; }

    /// <summary>Whether some images are not downstream.</summary>
    public bool IsFailure => Reason is not null;

    /// <summary>The images of a Pod to change, with their new values.</summary>
    public List<(GatedImage Image, string New)> ChangesOf(GatedPod pod)
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

/// <summary>How a gated Pod was released; the names, in snake_case, are values of a metric's label.</summary>
internal enum GateResult
{
    /// <summary>All its images are downstream.</summary>
    Released,

    /// <summary>It starts with original images.</summary>
    Restored,

    /// <summary>It starts with images that are not downstream.</summary>
    Kept,

    /// <summary>The gate was lifted by another replica or a user.</summary>
    LiftedByOthers,

    /// <summary>The Pod was deleted.</summary>
    Gone,
}
