using ProxySwapper.Registry;
using ProxySwapper.Registry.Copying;
using ProxySwapper.Registry.Credentials;

namespace ProxySwapper.Mirroring;

/// <summary>Executes one task.</summary>
internal sealed class MirrorWorker(
    ImageCopier copier,
    IRegistryCredentialSource credentials,
    Func<ImageReference, CancellationToken, ValueTask<bool>>? createRepository,
    RateLimitGate gate,
    IMirrorOutput output,
    MirrorSettings settings
)
{
    public async Task<MirrorResult> RunAsync(MirrorTask task, CancellationToken cancellationToken)
    {
        var (result, closed) = await gate.RunAsync(
            task.Image,
            token => settings.DryRun ? PlanAsync(task, token) : CopyAsync(task, token),
            cancellationToken
        );
        return result ?? Result(task, MirrorOutcome.Left, $"the pull limit of {closed} was reached");
    }

    private async Task<MirrorResult> CopyAsync(MirrorTask task, CancellationToken cancellationToken)
    {
        var result = await copier.CopyAsync(RequestOf(task) with { Progress = output.Started(task) }, cancellationToken);
        var outcome = result.Outcome == CopyOutcome.UpToDate ? MirrorOutcome.UpToDate : OutcomeOf(task);
        return Result(task, outcome, DetailOf(result.Omissions)) with
        {
            Digest = result.TargetDigest.ToString(),
            Bytes = result.BytesCopied,
        };
    }

    /// <summary>A dry run only requests manifests of tags that both sides have, since each may count as a pull.</summary>
    private async Task<MirrorResult> PlanAsync(MirrorTask task, CancellationToken cancellationToken)
    {
        if (!task.IsPresent)
            return Result(task, MirrorOutcome.Copied, null);
        var plan = await copier.PlanAsync(RequestOf(task), cancellationToken);
        var outcome = plan.IsUpToDate ? MirrorOutcome.UpToDate : MirrorOutcome.Replaced;
        return Result(task, outcome, DetailOf(plan.Omissions)) with { Digest = plan.TargetDigest.ToString() };
    }

    private CopyRequest RequestOf(MirrorTask task) =>
        new(task.Source, task.Destination)
        {
            SourceCredentials = credentials,
            TargetCredentials = credentials,
            Platforms = task.Image.Platforms,
            Referrers = task.Image.Referrers,
            CreateRepository = createRepository,
            Timeout = settings.CopyTimeout,
            // Another writer may have been faster, and lists of tags may lack some.
            MayOverwrite = task.Image.ReplaceTag ? null : (_, _, _) => new(false),
        };

    private static string? DetailOf(CopyOmissions omissions)
    {
        IEnumerable<string> kept =
            omissions.KeptTags.Count == 0
                ? []
                : [$"{string.Join(", ", omissions.KeptTags)} of the destination differs and stays, since replace-tag is not set"];
        var sentences = string.Join("; ", kept.Concat(omissions.Sentences));
        return sentences.Length == 0 ? null : sentences;
    }

    private static MirrorOutcome OutcomeOf(MirrorTask task) => task.IsPresent ? MirrorOutcome.Replaced : MirrorOutcome.Copied;

    private static MirrorResult Result(MirrorTask task, MirrorOutcome outcome, string? detail) =>
        new(task.Image, task.Tag, outcome, detail);
}
