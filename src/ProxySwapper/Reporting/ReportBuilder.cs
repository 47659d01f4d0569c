using ProxySwapper.Population.Work;
using ProxySwapper.Registry;
using ProxySwapper.Rules;

namespace ProxySwapper.Reporting;

/// <summary>
/// Groups the uses of images by the rules' decision. A Pod adds what is running to the images of its workload's template, and its own
/// images where the template has others (an injected sidecar, a Pod of an operator).
/// </summary>
internal sealed class ReportBuilder(RuleSet rules, WebhookScope scope)
{
    private readonly HashSet<Workload> _workloads = [];
    private readonly PopulationPlanner _planner = PopulationPlanner.Compile(rules.Options.Populate);
    private readonly Dictionary<(string Image, DecisionReason Reason, string? Rule, string? Target), ImageEntry> _entries = [];

    public IReadOnlyCollection<ImageEntry> Entries => _entries.Values;

    /// <summary>
    /// What makes Pods with these images: templates, and Pods without one, or whatever controls them if its own template was not read.
    /// </summary>
    public int Workloads => _workloads.Count;

    public int Pods { get; private set; }

    /// <summary>The Pods of which at least one image was rewritten: the rules send the original of an annotation to the image.</summary>
    public int RewrittenPods { get; private set; }

    /// <summary>The admission policy that rewrites images, or null if the webhook does.</summary>
    public string? AdmissionPolicy => rules.Options.AdmissionPolicy.Name;

    /// <inheritdoc cref="WebhookScope.IsRegistered"/>
    public bool IsRegistered => scope.IsRegistered;

    public void AddTemplate(IEnumerable<ImageUse> uses)
    {
        foreach (var use in uses)
            Add(Decide(use.Image, use), use);
    }

    public void AddPod(IEnumerable<ImageUse> uses)
    {
        Pods++;
        var isRewritten = false;
        foreach (var use in uses)
        {
            var decision = DecideRunning(use);
            Add(decision, use);
            isRewritten |= use.Running is { } running && running != use.Image && ImageEntry.IsAt(decision.Target, running);
        }
        if (isRewritten)
            RewrittenPods++;
    }

    private void Add(ImageDecision decision, ImageUse use)
    {
        var key = (decision.Source?.ToString() ?? decision.Image, decision.Reason, decision.Rule, decision.Target?.ToString());
        if (!_entries.TryGetValue(key, out var entry))
            _entries[key] = entry = new ImageEntry(decision, _planner.WorkFor(decision));
        entry.Add(use);
        _workloads.Add(use.Workload);
    }

    /// <summary>
    /// What is decided for a Pod's image. The annotation with its original only counts if the rules rewrite that to the current image:
    /// anyone who creates Pods can write one, and must not hide what they run.
    /// </summary>
    private ImageDecision DecideRunning(ImageUse use)
    {
        var decision = Decide(use.Image, use);
        return use.Running is not { } running || running == use.Image || ImageEntry.IsAt(decision.Target, running)
            ? decision
            : Decide(running, use);
    }

    /// <summary>The rules' decision, unless the Pod is left alone; an image that already names the target needs no webhook.</summary>
    private ImageDecision Decide(string image, ImageUse use)
    {
        var decision = rules.Evaluate(image, use.Workload.Namespace);
        if (decision.Reason is DecisionReason.AlreadyAtTarget or DecisionReason.Invalid)
            return decision;
        return ExceptionFor(use) is { } reason
            ? new(image, reason, ImageReference.TryParse(image, out var source) ? source.WithDefaultTag() : null, null, null, null)
            : decision;
    }

    /// <summary>Why a Pod is left unchanged, whatever its images; null if it is not.</summary>
    private DecisionReason? ExceptionFor(ImageUse use)
    {
        var pod = use.Pod;
        return pod.IsMirror ? DecisionReason.MirrorPod
            : pod.IsOptedOut ? DecisionReason.OptedOut
            : pod.Controller is { } controller && rules.IgnoresOwner(controller.Group, controller.Kind) ? DecisionReason.IgnoredOwner
            : scope.ReasonToIgnore(use.Workload.Namespace, pod.Labels);
    }
}
