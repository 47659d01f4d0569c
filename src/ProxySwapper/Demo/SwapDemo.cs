using System.Net.Http.Headers;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using ProxySwapper.Admission;
using ProxySwapper.Configuration;
using ProxySwapper.Hosting;
using ProxySwapper.Rules;
using Spectre.Console;

namespace ProxySwapper.Demo;

/// <summary>Posts the sample Pods to a webhook of this process, over TLS as an API server does, and shows what comes back.</summary>
internal sealed class SwapDemo(IAnsiConsole console, ProxySwapperOptions options)
{
    /// <summary>Runs the demo; true when every patch applied and made the images that the rules say.</summary>
    public async Task<bool> RunAsync(CancellationToken cancellationToken)
    {
        using var certificate = new DemoCertificate(TimeProvider.System);
        var serving = ServingCertificate.Load(certificate.CertificateFile, certificate.KeyFile);
        await using var app = ServeHost.Create(options, null, serving, logging => logging.AddProgramLogging(LogLevel.Error, isPerson: true), isLocal: true);
        await app.StartAsync(cancellationToken);
        var addresses = app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses;
        var port = new Uri(addresses.Single(address => address.StartsWith("https", StringComparison.Ordinal))).Port;
        using var client = certificate.CreateClient(new Uri($"https://localhost:{port}"));
        console.MarkupLineInterpolated($"A webhook listens on [blue]https://localhost:{port}{AdmissionRegistration.Path}[/]; images of docker.io go to [green]{options.ProxyUrl}[/].");
        var rules = RuleSet.Compile(options);
        var (pods, images, isGood) = (0, 0, true);
        foreach (var sample in SamplePods.Read())
        {
            var (patch, warnings) = await AskAsync(client, sample.Pod, cancellationToken);
            var (rewritten, asExpected) = Show(sample, patch, warnings, rules);
            (pods, images, isGood) = (pods + 1, images + rewritten, isGood && asExpected);
        }
        await app.StopAsync(cancellationToken);
        console.WriteLine();
        console.MarkupLineInterpolated($"{pods} Pods admitted, {images} images rewritten; every patch was applied and checked: {(isGood ? "as it should be" : "NOT as it should be")}.");
        return isGood;
    }

    private static async Task<(JsonArray? Patch, JsonArray? Warnings)> AskAsync(HttpClient client, JsonObject pod, CancellationToken cancellationToken)
    {
        var review = new JsonObject
        {
            ["kind"] = "AdmissionReview",
            ["apiVersion"] = "admission.k8s.io/v1",
            ["request"] = new JsonObject
            {
                ["uid"] = Guid.NewGuid().ToString(),
                ["kind"] = new JsonObject { ["version"] = "v1", ["kind"] = "Pod" },
                ["operation"] = "CREATE",
                ["namespace"] = "demo",
                ["object"] = pod.DeepClone(),
            },
        };
        using var content = new StringContent(review.ToJsonString(), Encoding.UTF8, MediaTypeHeaderValue.Parse("application/json"));
        using var answer = await client.PostAsync(AdmissionRegistration.Path, content, cancellationToken);
        var response = JsonNode.Parse(await answer.EnsureSuccessStatusCode().Content.ReadAsStringAsync(cancellationToken))!["response"]!;
        var patch = response["patch"] is { } text ? JsonNode.Parse(Convert.FromBase64String((string)text!))!.AsArray() : null;
        return (patch, response["warnings"]?.AsArray());
    }

    private (int Rewritten, bool IsGood) Show(SamplePod sample, JsonArray? patch, JsonArray? warnings, RuleSet rules)
    {
        console.WriteLine();
        console.MarkupLineInterpolated($"[bold]{sample.File}[/]");
        console.MarkupLineInterpolated($"  [grey]{sample.About}[/]");
        var before = ImagesOf(sample.Pod);
        var after = ImagesOf(patch is null ? sample.Pod : JsonPatchApplier.Apply(sample.Pod, patch));
        var (rewritten, isGood) = (0, true);
        foreach (var (image, final) in before.Zip(after))
        {
            var decision = rules.Rewrite(image, "demo");
            if (image != final) console.MarkupLineInterpolated($"  {image} [green]→[/] [green]{final}[/]");
            else console.MarkupLineInterpolated($"  {image} [grey]stays[/]");
            rewritten += image != final ? 1 : 0;
            isGood &= patch is null || final == (decision.Target?.ToString() ?? image);
        }
        foreach (var warning in warnings ?? []) console.MarkupLineInterpolated($"  [yellow]warning:[/] {(string)warning!}");
        if (patch is not null) console.WriteLine("  patch:");
        foreach (var operation in patch ?? [])
            console.MarkupLineInterpolated($"    [blue]{(string)operation!["op"]!,-7}[/] {(string)operation["path"]!} [grey]{operation["value"]!.ToJsonString(ReadableJson)}[/]");
        return (rewritten, isGood);
    }

    private static readonly System.Text.Json.JsonSerializerOptions ReadableJson = new() { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private static List<string> ImagesOf(JsonNode pod) =>
    [
        .. from list in (string[])["initContainers", "containers"]
           from container in pod["spec"]![list]?.AsArray() ?? []
           select (string)container!["image"]!,
        .. from volume in pod["spec"]!["volumes"]?.AsArray() ?? []
           where volume?["image"] is not null
           select (string)volume!["image"]!["reference"]!,
    ];
}
