using ProxySwapper.Patterns;
using ProxySwapper.Registry;

namespace ProxySwapper.Rules;

/// <summary>What the rules decide for one image.</summary>
/// <param name="Image">The image as it was written, byte for byte.</param>
/// <param name="Reason">Why it is rewritten or left unchanged.</param>
/// <param name="Source">The image normalised, with its default tag; null when it does not parse.</param>
/// <param name="Target">Where it goes, or null when it is left unchanged.</param>
/// <param name="Rule">The rule that decided, such as <c>rules[1]</c> or <c>proxyUrl</c>; null when none did.</param>
/// <param name="Warning">A warning for the Pod's owner, or null.</param>
internal sealed record ImageDecision(
    string Image,
    DecisionReason Reason,
    ImageReference? Source,
    ImageReference? Target,
    string? Rule,
    string? Warning
)
{
    public bool IsRewritten => Target is not null;

    /// <summary>False when the rule has <c>populate: false</c>: the target fetches images itself, and nothing is copied there.</summary>
    public bool Populate { get; init; } = true;

    /// <summary>True if the rules may send images of several repositories to the target's name.</summary>
    public bool IsTargetShared { get; init; }

    /// <summary>Why the image, or what the rule makes of it, is not valid; the warning ends with it.</summary>
    public string? Fault { get; init; }

    /// <summary>The Secret with which kubelet pulls the target, from the rule that decided; or null.</summary>
    public string? PullSecret { get; init; }

    /// <summary>The decision to leave the image unchanged after all, since its registry fails or could not be queried.</summary>
    /// <param name="reason">Why, for the warning.</param>
    public ImageDecision LeaveUnchanged(string reason) =>
        this with
        {
            Target = null,
            Reason = DecisionReason.DownstreamFailing,
            Warning = $"image '{Truncation.ShortenImage(Image)}' is left unchanged: {reason}",
        };
}

/// <summary>Why an image is rewritten or left unchanged; <c>rewrite -o json</c> and the metrics show these names in camelCase.</summary>
internal enum DecisionReason
{
    Rewritten,
    NoRule,
    AlreadyAtTarget,
    IgnoredImage,
    IgnoredNamespace,
    OptedOut,
    Invalid,
    InvalidTarget,
    NotDownstream,
    DownstreamFailing,
    RecreatedTooOften,
    IgnoredOwner,
    MirrorPod,

    /// <summary>The webhook's selectors leave the Pod out.</summary>
    NotSelected,

    /// <summary>It would be rewritten, but for <c>dryRun</c>; the target is the one that it would have.</summary>
    DryRun,
}
