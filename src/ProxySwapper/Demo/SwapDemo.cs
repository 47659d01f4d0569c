using System.Text.Json.Nodes;
using ProxySwapper.Admission;
using ProxySwapper.Configuration;
using ProxySwapper.Kubernetes.InMemory;
using ProxySwapper.Registry;
using ProxySwapper.Rules;
using Spectre.Console;

namespace ProxySwapper.Demo;

/// <summary>Posts the sample Pods to a webhook in this process, over TLS like an API server, and shows the results.</summary>
internal sealed class SwapDemo(IAnsiConsole console, ProxySwapperOptions options)
{
    /// <summary>Runs the demo; true if every patch applied and produced the images that the rules give.</summary>
    public async Task<bool> RunAsync(CancellationToken cancellationToken)
    {
        await using var webhook = await DemoWebhook.StartAsync(options, cancellationToken);
        console.MarkupLineInterpolated(
            $"A webhook listens on [blue]{webhook.Address}[/]; images of docker.io go to [green]{options.ProxyUrl}[/]."
        );
        var rules = RuleSet.Compile(options);
        var (pods, images, isGood) = (0, 0, true);
        foreach (var sample in SamplePods.Read())
        {
            var (patch, warnings) = await webhook.ReviewAsync(sample.Pod, cancellationToken);
            var (rewritten, asExpected) = Show(sample, patch, warnings, rules);
            (pods, images, isGood) = (pods + 1, images + rewritten, isGood && asExpected);
        }
        console.WriteLine();
        var verdict = isGood ? "correct" : "NOT correct";
        var (admitted, swapped) = (CountFormat.Format(pods, "Pod"), CountFormat.Format(images, "image"));
        console.MarkupLineInterpolated($"{admitted} admitted, {swapped} rewritten; every patch was applied and checked: {verdict}.");
        return isGood;
    }

    private (int Rewritten, bool IsGood) Show(SamplePod sample, JsonArray? patch, JsonArray? warnings, RuleSet rules)
    {
        console.WriteLine();
        console.MarkupLineInterpolated($"[bold]{sample.File}[/]");
        console.MarkupLineInterpolated($"  [grey]{sample.About}[/]");
        var before = ImagesOf(sample.Pod);
        var after = ImagesOf(patch is null ? sample.Pod : JsonPatch.Apply(sample.Pod, patch));
        var (rewritten, isGood) = (0, true);
        var isOptedOut = (string?)sample.Pod["metadata"]!["labels"]?[WellKnownLabels.OptOutLabel] == "true";
        foreach (var (image, final) in before.Zip(after))
        {
            var target = isOptedOut ? null : rules.Evaluate(image, "demo").Target?.ToString();
            if (image != final)
                console.MarkupLineInterpolated($"  {image} [green]→[/] [green]{final}[/]");
            else
                console.MarkupLineInterpolated($"  {image} [grey]stays[/]");
            rewritten += image != final ? 1 : 0;
            isGood &= final == (target ?? image);
        }
        foreach (var warning in warnings ?? [])
            console.MarkupLineInterpolated($"  [yellow]warning:[/] {(string)warning!}");
        if (patch is not null)
            console.WriteLine("  patch:");
        foreach (var operation in patch ?? [])
        {
            var value = operation!["value"]!.ToJsonString(ReadableJson);
            console.MarkupLineInterpolated($"    [blue]{(string)operation["op"]!, -7}[/] {(string)operation["path"]!} [grey]{value}[/]");
        }
        return (rewritten, isGood);
    }

    private static readonly System.Text.Json.JsonSerializerOptions ReadableJson = new()
    {
        Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    private static List<string> ImagesOf(JsonNode pod) =>
        [
            .. from field in PodImageFields.OfSpec
            from item in pod["spec"]![field.List]?.AsArray() ?? []
            let image = field.IsVolume ? item["image"]?["reference"] : item["image"]
            where image is not null
            select (string)image!,
        ];
}
