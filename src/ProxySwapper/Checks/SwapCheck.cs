using System.Globalization;
using System.Net;
using System.Text.Json.Nodes;
using ProxySwapper.Admission;
using ProxySwapper.Configuration;
using ProxySwapper.Kubernetes;
using ProxySwapper.Reporting;

namespace ProxySwapper.Checks;

/// <summary>Creates a Pod by dry run and checks that it is rewritten according to the rules.</summary>
internal sealed class SwapCheck(KubernetesClient client, ProxySwapperOptions options, TimeProvider time)
{
    private const string PopulateLabel = GateLabels.Populate;

    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(2);

    /// <summary>Retries until the Pod is as expected or the timeout has passed: an API server takes a while to pick up a webhook.</summary>
    /// <param name="report">Receives the findings.</param>
    /// <param name="namespace">The Pod's namespace.</param>
    /// <param name="samples">Its images.</param>
    /// <param name="timeout">The timeout.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <returns>Whether the Pod shows that the API server called the webhook.</returns>
    /// <exception cref="KubernetesException">The API server rejects the Pod.</exception>
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
            var (pod, warnings) = await CreateAsync(@namespace, samples, cancellationToken);
            var images = ImagesOf(pod, samples.Count);
            var isCalled = options.DryRun ? warnings.Contains(AdmissionResponseWriter.DryRunWarning) : IsMarked(pod);
            var isRight = samples.Zip(images).All(pair => IsRight(pair.First, pair.Second, isCalled)) && (isCalled || !options.DryRun);
            if (time.GetUtcNow() < end && !isRight)
            {
                await Task.Delay(Pause, time, cancellationToken);
                continue;
            }
            if (options.DryRun && !isCalled)
                report.Failed("the API server does not call the webhook here; without dryRun nothing would be rewritten either");
            else
                foreach (var (sample, image) in samples.Zip(images))
                    Report(report, sample, image, isCalled);
            ReportPullSecrets(report, samples, pod);
            foreach (
                var warning in warnings.Where(warning =>
                    !warning.StartsWith(AdmissionResponseWriter.DryRunPrefix, StringComparison.Ordinal)
                )
            )
                report.Note($"warning from the API server: {warning}");
            return isCalled || isRight;
        }
    }

    private async Task<(JsonObject Pod, IReadOnlyList<string> Warnings)> CreateAsync(
        string @namespace,
        IReadOnlyList<SampleImage> samples,
        CancellationToken cancellationToken
    )
    {
        var path = $"{ResourceType.Pods.CollectionPath(@namespace)}?dryRun=All";
        var (pod, warnings) = await client.PostWithWarningsAsync(path, PodOf(samples), cancellationToken);
        return pod.Member("spec", "containers") is JsonArray
            ? (pod, warnings)
            : throw new KubernetesException(new ApiRequest(HttpMethod.Post, path), HttpStatusCode.OK, null, "the response is not a Pod");
    }

    /// <summary>
    /// The images of our containers, by name: others may precede them, as with Istio's <c>holdApplicationUntilProxyStarts</c>.
    /// </summary>
    private static List<string> ImagesOf(JsonObject pod, int count)
    {
        var containers = pod["spec"]!["containers"]!.AsArray().ToLookup(item => item.Text("name"), item => item.Text("image"));
        return [.. Enumerable.Range(0, count).Select(index => containers[NameOf(index)].FirstOrDefault() ?? "")];
    }

    private string ExpectedOf(SampleImage sample) =>
        options.DryRun || sample.Decision.Target is not { } target ? sample.Image : target.ToString();

    private bool IsRight(SampleImage sample, string image, bool isCalled) =>
        image == ExpectedOf(sample) || image == sample.Image && isCalled && options.SwapPolicy == SwapPolicy.Exists;

    /// <summary>Whether the Pod has one of our labels or annotations.</summary>
    private bool IsMarked(JsonObject pod) =>
        pod["metadata"]?["labels"] is JsonObject labels
        && (labels.Text(options.PatchLabel.Key) == options.PatchLabel.Value || labels.ContainsKey(PopulateLabel));

    private void Report(CheckReport report, SampleImage sample, string image, bool isCalled)
    {
        var (expected, rule) = (ExpectedOf(sample), sample.Decision.Rule);
        if (!sample.Decision.IsRewritten && image == sample.Image)
            report.Passed($"{sample.Image} is unchanged: {ReportMessages.ReasonOf(sample.Decision)}");
        else if (options.DryRun && image == expected)
            report.Passed($"{sample.Image} is unchanged, since dryRun is on; {rule} would rewrite it to {sample.Decision.Target}");
        else if (image == expected)
            report.Passed($"{sample.Image} -> {image} ({rule})");
        else if (image == sample.Image && isCalled && options.SwapPolicy == SwapPolicy.Exists)
            report.Passed($"{sample.Image} is unchanged until {sample.Decision.Target} is downstream (swapPolicy exists)");
        else
            report.Failed($"{sample.Image} became {image}; expected {expected} from {rule ?? "the configuration"}");
    }

    private void ReportPullSecrets(CheckReport report, IReadOnlyList<SampleImage> samples, JsonObject pod)
    {
        if (options.DryRun || options.SwapPolicy == SwapPolicy.Exists)
            return;
        var there = (pod.Member("spec", "imagePullSecrets") as JsonArray ?? []).Select(secret => secret.Text("name")).ToHashSet();
        foreach (var secret in samples.Select(sample => sample.Decision.PullSecret).OfType<string>().Distinct(StringComparer.Ordinal))
            if (there.Contains(secret))
                report.Passed($"the Pod has {secret} in imagePullSecrets");
            else
                report.Failed($"the Pod does not have {secret} in imagePullSecrets, which the rules should add");
    }

    /// <summary>Satisfies common requirements of namespaces: the restricted Pod Security Standard, requests and limits.</summary>
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

    private static string NameOf(int index) => string.Create(CultureInfo.InvariantCulture, $"c{index}");

    private static JsonObject ContainerOf(string image, int index) =>
        new JsonObject
        {
            ["name"] = NameOf(index),
            ["image"] = image,
            ["securityContext"] = JsonNode.Parse("""{"allowPrivilegeEscalation":false,"capabilities":{"drop":["ALL"]}}"""),
            ["resources"] = JsonNode.Parse("""{"requests":{"cpu":"1m","memory":"1Mi"},"limits":{"cpu":"10m","memory":"10Mi"}}"""),
        };
}
