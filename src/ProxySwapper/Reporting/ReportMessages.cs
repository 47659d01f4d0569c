using System.Globalization;
using System.Text.Json;
using ProxySwapper.Admission;
using ProxySwapper.Registry;
using ProxySwapper.Rules;

namespace ProxySwapper.Reporting;

/// <summary>The sentences that text and HTML reports share.</summary>
internal static class ReportMessages
{
    private static readonly string[] Units = ["B", "kB", "MB", "GB", "TB"];

    /// <summary>
    /// The summary: what there is, what still comes from which registry, what could not restart, and what that would cost.
    /// </summary>
    public static IEnumerable<string> Summary(ImageReport report)
    {
        yield return $"{CountFormat.Format(report.Entries.Count, "image")} in {CountFormat.Format(report.Workloads, "workload")} and "
            + $"{CountFormat.Format(report.Pods, "Pod")}: "
            + $"{report.Count(ImageState.Downstream) + report.Count(ImageState.Differs)} downstream, "
            + $"{report.Count(ImageState.Missing)} missing, "
            + $"{report.Count(ImageState.Unswapped)} not swapped{Rest(report)}.";
        if (report.AdmissionPolicy is { } policy && report.Pods > 0)
            yield return $"Admission policy {policy}: {report.RewrittenPods} of {CountFormat.Format(report.Pods, "Pod")} "
                + "have rewritten images.";
        if (report.Entries.Count(entry => entry.Decision.Reason == DecisionReason.Invalid) is > 0 and var invalid)
            yield return invalid == 1
                ? "1 image is not a valid reference and cannot be pulled."
                : $"{invalid} images are not valid references and cannot be pulled.";
        foreach (var registry in report.Registries.Where(registry => registry.Unswapped.Count > 0))
            yield return $"Still from {registry.Registry}: {CountFormat.Format(registry.Unswapped.Values.Sum(), "image")} "
                + $"({Reasons(registry)}).";
        foreach (var registry in report.Registries)
            yield return Without(registry);
        if (report.Count(ImageState.OnDemand) is > 0 and var onDemand)
            yield return $"On demand ({CountFormat.Format(onDemand, "image")}): the target fetches missing images from its upstream, "
                + "so a HEAD request does not show what it has.";
        if (report.Entries.Count(entry => entry is { State: ImageState.Missing, Origin: null }) is > 0 and var lost)
            yield return $"{CountFormat.Format(lost, "image")} that {(lost == 1 ? "names its" : "name their")} target "
                + $"{(lost == 1 ? "is" : "are")} missing there and could not start again.";
        foreach (var registry in report.Registries)
            yield return $"A cold start pulls {Range(registry.Cost.Pulls, registry.MaximumCost.Pulls)} "
                + $"{(registry is { Cost.Pulls: 1, MaximumCost.Pulls: 1 } ? "time" : "times")} from {registry.Registry}{Bytes(registry)}.";
        // Other registries have no limit that is known.
        if (report.Registries.FirstOrDefault(registry => registry.Registry == RegistryName.DockerHub) is { } hub)
            yield return report.PullLimit.Compare(hub.Cost.Pulls, hub.MaximumCost.Pulls);
        if (report.Entries.Count(entry => entry.Origin is null && RegistrySummary.IsUndecided(entry)) is > 0 and var open)
            yield return $"Whether {CountFormat.Format(open, "image")} can be pulled without another registry is not known.";
        else if (report.Registries.Count == 0 && report.Entries.Count > 0 && report.Count(ImageState.Missing) == 0)
            yield return report.IsIncomplete
                ? "No image that could be read depends on another registry."
                : "No image depends on another registry.";
        if (report.IsIncomplete)
            yield return "There may be more images: not everything could be read.";
    }

    /// <summary>Why an image is not rewritten, or what decided about its target.</summary>
    public static string ReasonOf(ImageEntry entry) =>
        entry is { Decision.Reason: DecisionReason.NoRule, Work: not null } ? "filled by populate.proxyCaches" : ReasonOf(entry.Decision);

    /// <summary>Why an image is not rewritten, or the rule that does.</summary>
    public static string ReasonOf(ImageDecision decision) =>
        decision.Reason switch
        {
            DecisionReason.Rewritten => decision.Rule ?? "",
            DecisionReason.NoRule => "no rule matches",
            DecisionReason.AlreadyAtTarget => $"already at the target of {decision.Rule}",
            DecisionReason.IgnoredImage => "in ignoreImages",
            DecisionReason.IgnoredNamespace => "excluded namespace",
            DecisionReason.OptedOut => $"opted out by {WellKnownLabels.OptOutLabel}",
            DecisionReason.IgnoredOwner => "in ignoreOwners",
            DecisionReason.MirrorPod => "static Pod",
            DecisionReason.NotSelected => "not selected by the webhook",
            DecisionReason.Invalid => "invalid image",
            DecisionReason.InvalidTarget => "invalid target",
            _ => NameOf(decision.Reason),
        };

    /// <summary>The JSON name of an enum value.</summary>
    public static string NameOf<T>(T value)
        where T : struct, Enum => JsonNamingPolicy.CamelCase.ConvertName(value.ToString());

    public static string Size(long bytes)
    {
        var (size, unit) = ((double)bytes, 0);
        for (; size >= 1000 && unit < Units.Length - 1; unit++)
            size /= 1000;
        return string.Create(CultureInfo.InvariantCulture, $"{size:0.#} {Units[unit]}");
    }

    /// <summary>A number, or two if they differ.</summary>
    public static string Range(int least, int most) => least == most ? $"{least}" : $"{least} to {most}";

    private static string Rest(ImageReport report)
    {
        var onDemand = report.Count(ImageState.OnDemand);
        var unknown = report.Count(ImageState.Unknown);
        var swapped = report.Count(ImageState.Swapped);
        return (onDemand > 0 ? $", {onDemand} on demand" : "")
            + (unknown > 0 ? $", {unknown} could not be checked" : "")
            + (swapped > 0 ? $", {swapped} not checked" : "");
    }

    private static string Without(RegistrySummary registry) =>
        registry.StuckImages == 0
            ? $"Without {registry.Registry}, it is not known whether {CountFormat.Format(registry.Undecided, "image")} of "
                + $"{CountFormat.Format(registry.UndecidedWorkloads, "workload")} could restart."
            : $"Without {registry.Registry}, {CountFormat.Format(registry.StuckImages, "image")} of "
                + $"{CountFormat.Format(registry.StuckWorkloads, "workload")} could not restart"
                + (registry.Undecided == 0 ? "." : $"; for {registry.Undecided} more it is not known.");

    private static string Reasons(RegistrySummary registry) =>
        string.Join(", ", registry.Unswapped.OrderByDescending(pair => pair.Value).Select(pair => $"{pair.Value} {ShortReason(pair.Key)}"));

    private static string ShortReason(DecisionReason reason) =>
        reason switch
        {
            DecisionReason.NoRule => "no rule matches",
            DecisionReason.IgnoredImage => "in ignoreImages",
            DecisionReason.IgnoredNamespace => "in excluded namespaces",
            DecisionReason.OptedOut => "opted out",
            DecisionReason.IgnoredOwner => "of ignoreOwners",
            DecisionReason.MirrorPod => "of static Pods",
            DecisionReason.NotSelected => "not selected by the webhook",
            DecisionReason.InvalidTarget => "with an invalid target",
            _ => NameOf(reason),
        };

    private static string Bytes(RegistrySummary registry)
    {
        var (least, most) = (registry.Cost, registry.MaximumCost);
        return most.Bytes == 0 ? ""
            : most.UnknownSizes > 0 ? $", at least {Size(least.Bytes)} ({CountFormat.Format(most.UnknownSizes, "size")} unknown)"
            : least.Bytes == most.Bytes ? $", {Size(least.Bytes)}"
            : $", {Size(least.Bytes)} to {Size(most.Bytes)}";
    }
}
