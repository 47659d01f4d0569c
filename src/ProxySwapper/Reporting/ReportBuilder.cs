using ProxySwapper.Registry;
using ProxySwapper.Rules;

namespace ProxySwapper.Reporting;

/// <summary>
/// Groups the uses of images by the rules' decision. Templates come first: a Pod then adds what is running, and is only listed itself if no
/// template of its namespace has the image (an injected sidecar, a Pod of an operator).
/// </summary>
internal sealed class ReportBuilder(RuleSet rules, Func<string, bool> isExcludedNamespace)
{
    private readonly Dictionary<(string Image, DecisionReason Reason, string? Rule, string? Target), ImageEntry> _entries = [];
    private readonly HashSet<(string Namespace, string Image)> _inTemplates = [];

    public IReadOnlyCollection<ImageEntry> Entries => _entries.Values;

    public int Workloads { get; private set; }

    public int Pods { get; private set; }

    /// <summary>The Pods of which at least one image was rewritten, by their annotations.</summary>
    public int RewrittenPods { get; private set; }

    /// <summary>The admission policy that rewrites images, or null if the webhook does.</summary>
    public string? AdmissionPolicy => rules.Options.AdmissionPolicy.Name;

    public void AddTemplate(IEnumerable<ImageUse> uses)
    {
        Workloads++;
        foreach (var use in uses)
        {
            _inTemplates.Add((use.Workload.Namespace, NormalName(use.Image)));
            EntryOf(use).Add(use, countsAsWorkload: true);
        }
    }

    public void AddPod(IEnumerable<ImageUse> uses)
    {
        Pods++;
        var isRewritten = false;
        foreach (var use in uses)
        {
            EntryOf(use).Add(use, !_inTemplates.Contains((use.Workload.Namespace, NormalName(use.Image))));
            isRewritten |= use.Running is { } running && running != use.Image;
        }
        if (isRewritten)
            RewrittenPods++;
    }

    private ImageEntry EntryOf(ImageUse use)
    {
        var decision = Decide(use);
        var key = (decision.Source?.ToString() ?? decision.Image, decision.Reason, decision.Rule, decision.Target?.ToString());
        if (!_entries.TryGetValue(key, out var entry))
            _entries[key] = entry = new ImageEntry(decision);
        return entry;
    }

    /// <summary>The rules' decision, unless the webhook is out of scope; an image that already names the target needs no webhook.</summary>
    private ImageDecision Decide(ImageUse use)
    {
        var decision = rules.Evaluate(use.Image, use.Workload.Namespace);
        if (decision.Reason is DecisionReason.AlreadyAtTarget or DecisionReason.Invalid)
            return decision;
        return use.IsOptedOut ? Unchanged(use.Image, DecisionReason.OptedOut)
            : isExcludedNamespace(use.Workload.Namespace) ? Unchanged(use.Image, DecisionReason.IgnoredNamespace)
            : decision;
    }

    private static ImageDecision Unchanged(string image, DecisionReason reason) =>
        new(image, reason, ImageReference.TryParse(image, out var source) ? source.WithDefaultTag() : null, null, null, null);

    private static string NormalName(string image) =>
        ImageReference.TryParse(image, out var reference) ? reference.WithDefaultTag().ToString() : image;
}
