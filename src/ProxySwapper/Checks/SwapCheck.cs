using System.Globalization;
using System.Text.Json.Nodes;
using ProxySwapper.Configuration;
using ProxySwapper.Kubernetes;

namespace ProxySwapper.Checks;

/// <summary>Makes a Pod by dry run, and looks whether it comes back as the rules say.</summary>
internal sealed class SwapCheck(KubernetesClient client, ProxySwapperOptions options, TimeProvider time)
{
    private const string PopulateLabel = Admission.GateLabels.Populate;

    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(2);

    /// <summary>Tries until the Pod is as it should be, or the time is over: an API server learns of a webhook after a while.</summary>
    /// <param name="report">Gets what was found.</param>
    /// <param name="namespace">The Pod's namespace.</param>
    /// <param name="samples">Its images.</param>
    /// <param name="timeout">How long.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <returns>Whether the API server asked us, as far as the Pod shows.</returns>
    /// <exception cref="KubernetesException">The API server refuses the Pod.</exception>
    public async Task<bool> RunAsync(
        CheckReport report,
        string @namespace,
        IReadOnlyList<SampleImage> samples,
        TimeSpan timeout,
        CancellationToken cancellationToken
    )
    {
        var end = time.GetUtcNow() + timeout;
        while (true)
        {
            var (pod, warnings) = await client.PostWithWarningsAsync(
                $"{ResourceType.Pods.CollectionPath(@namespace)}?dryRun=All",
                PodOf(samples),
                cancellationToken
            );
            var images = pod["spec"]!["containers"]!.AsArray().Select(container => (string?)container!["image"] ?? "").ToList();
            var isAsked = IsAsked(pod);
            if (time.GetUtcNow() < end && samples.Zip(images).Any(pair => !IsRight(pair.First, pair.Second, isAsked)))
            {
                await Task.Delay(Pause, time, cancellationToken);
                continue;
            }
            foreach (var (sample, image) in samples.Zip(images))
                Tell(report, sample, image, isAsked);
            TellPullSecrets(report, samples, pod);
            foreach (var warning in warnings)
                report.Note($"the API server warns: {warning}");
            return isAsked || samples.Zip(images).All(pair => IsRight(pair.First, pair.Second, isAsked));
        }
    }

    private string ExpectedOf(SampleImage sample) =>
        options.DryRun || sample.Decision.Target is not { } target ? sample.Image : target.ToString();

    private bool IsRight(SampleImage sample, string image, bool isAsked) =>
        image == ExpectedOf(sample) || image == sample.Image && isAsked && options.SwapPolicy == SwapPolicy.Exists;

    /// <summary>The Pod carries a mark of ours.</summary>
    private bool IsAsked(JsonObject pod) =>
        pod["metadata"]?["labels"] is JsonObject labels
        && ((string?)labels[options.PatchLabel.Key] == options.PatchLabel.Value || labels.ContainsKey(PopulateLabel));

    private void Tell(CheckReport report, SampleImage sample, string image, bool isAsked)
    {
        var (expected, rule) = (ExpectedOf(sample), sample.Decision.Rule);
        if (!sample.Decision.IsRewritten && image == sample.Image)
            report.Passed($"{sample.Image} stays as it is: {sample.Decision.Reason}");
        else if (options.DryRun && image == expected)
            report.Passed($"{sample.Image} stays as it is, since dryRun is on; {rule} would make it {sample.Decision.Target}");
        else if (image == expected)
            report.Passed($"{sample.Image} -> {image} ({rule})");
        else if (image == sample.Image && isAsked && options.SwapPolicy == SwapPolicy.Exists)
            report.Passed($"{sample.Image} stays as it is until {sample.Decision.Target} is downstream (swapPolicy exists)");
        else
            report.Failed($"{sample.Image} came back as {image}; {rule ?? "the configuration"} says {expected}");
    }

    private void TellPullSecrets(CheckReport report, IReadOnlyList<SampleImage> samples, JsonObject pod)
    {
        if (options.DryRun || options.SwapPolicy == SwapPolicy.Exists)
            return;
        var there = pod["spec"]!["imagePullSecrets"]?.AsArray().Select(secret => (string?)secret!["name"]).ToHashSet() ?? [];
        foreach (var secret in samples.Select(sample => sample.Decision.PullSecret).OfType<string>().Distinct(StringComparer.Ordinal))
            if (there.Contains(secret))
                report.Passed($"the Pod names {secret} in imagePullSecrets");
            else
                report.Failed($"the Pod does not name {secret} in imagePullSecrets, which the rules add");
    }

    /// <summary>Meets what a namespace may ask of Pods: the restricted Pod Security Standard, and requests and limits.</summary>
    private static JsonObject PodOf(IReadOnlyList<SampleImage> samples) =>
        new()
        {
            ["apiVersion"] = "v1",
            ["kind"] = "Pod",
            ["metadata"] = new JsonObject { ["generateName"] = "proxyswapper-check-" },
            ["spec"] = new JsonObject
            {
                ["automountServiceAccountToken"] = false,
                ["securityContext"] = JsonNode.Parse(
                    """{"runAsNonRoot":true,"runAsUser":65534,"seccompProfile":{"type":"RuntimeDefault"}}"""
                ),
                ["containers"] = new JsonArray([.. samples.Select((sample, index) => ContainerOf(sample.Image, index))]),
            },
        };

    private static JsonObject ContainerOf(string image, int index) =>
        new JsonObject
        {
            ["name"] = $"c{index.ToString(CultureInfo.InvariantCulture)}",
            ["image"] = image,
            ["securityContext"] = JsonNode.Parse("""{"allowPrivilegeEscalation":false,"capabilities":{"drop":["ALL"]}}"""),
            ["resources"] = JsonNode.Parse("""{"requests":{"cpu":"1m","memory":"1Mi"},"limits":{"cpu":"10m","memory":"10Mi"}}"""),
        };
}
