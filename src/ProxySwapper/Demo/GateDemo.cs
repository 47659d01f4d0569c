using System.Text;
using System.Text.Json.Nodes;
using ProxySwapper.Configuration;
using ProxySwapper.Kubernetes.InMemory;
using ProxySwapper.Population;
using ProxySwapper.Population.Cluster;
using ProxySwapper.Population.Queue;
using ProxySwapper.Registry.InMemory;
using ProxySwapper.Registry.Timing;
using Spectre.Console;

namespace ProxySwapper.Demo;

/// <summary>
/// Pods that wait for their images, with an API server and two registries in this process: one is released when its image has been copied,
/// the other, with an image that does not exist, is released with its original image.
/// </summary>
internal sealed class GateDemo(IAnsiConsole console, ProxySwapperOptions options)
{
    private const string Namespace = "demo";
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(30);

    /// <summary>The latency of a remote upstream.</summary>
    private static readonly TimeSpan Delay = TimeSpan.FromMilliseconds(300);

    /// <summary>Runs the demo; true if both Pods were released as expected.</summary>
    public async Task<bool> RunAsync(CancellationToken cancellationToken)
    {
        await using var upstream = await InMemoryRegistry.StartAsync(
            new InMemoryRegistryOptions
            {
                Interceptor = async (context, next) =>
                {
                    await Task.Delay(Delay, TimeProvider.System, context.RequestAborted);
                    await next(context);
                },
            },
            cancellationToken
        );
        await using var downstream = await InMemoryRegistry.StartAsync(cancellationToken: cancellationToken);
        await using var server = await InMemoryApiServer.StartAsync(cancellationToken: cancellationToken);
        DemoImage.AddTo(upstream, "team/cart", "1.0");
        var rule = new RuleOptions { Match = upstream.Address, Target = $"{downstream.Address}/mirror" };
        await using var webhook = await DemoWebhook.StartAsync(
            options with
            {
                Rules = [rule],
                Populate = new PopulateOptions { MaxRetries = 0 },
            },
            server.Kubeconfig(),
            cancellationToken
        );
        await WaitAsync(() => webhook.Get<PodWatch>().IsConnected && webhook.Get<ClusterCapabilities>().HasGates, cancellationToken);
        Register(server, webhook);
        console.WriteLine();
        console.MarkupLineInterpolated(
            $"[bold]Before the pull[/]: if the API server supports scheduling gates, a Pod waits until its image is downstream."
        );
        var parts = new Parts(server, downstream, webhook.Get<PopulationQueue>());
        var isReleased = await ShowAsync(
            parts,
            "cart",
            $"{upstream.Address}/team/cart:1.0",
            $"{downstream.Address}/mirror/team/cart:1.0",
            cancellationToken
        );
        var lost = $"{upstream.Address}/team/lost:1.0";
        return isReleased & await ShowAsync(parts, "lost", lost, lost, cancellationToken);
    }

    /// <summary>Creates a Pod and reports what happens; true if it is released with the expected image.</summary>
    private async Task<bool> ShowAsync(Parts parts, string name, string image, string expected, CancellationToken cancellationToken)
    {
        var (server, downstream, queue) = parts;
        var started = TimeProvider.System.GetTimestamp();
        using var client = new HttpClient { BaseAddress = server.Address };
        var body = $$"""{"metadata":{"name":"{{name}}"},"spec":{"containers":[{"name":"main","image":"{{image}}"}]} }""";
        using var content = new StringContent(body, Encoding.UTF8, "application/json");
        using var created = await client.PostAsync(
            new Uri($"/api/v1/namespaces/{Namespace}/pods", UriKind.Relative),
            content,
            cancellationToken
        );
        var pod = JsonNode.Parse(await created.EnsureSuccessStatusCode().Content.ReadAsStringAsync(cancellationToken))!;
        console.MarkupLineInterpolated(
            $"  Pod {name}: {image} [green]→[/] [green]{ImageOf(pod)}[/] [grey]{pod["status"]!["conditions"]?[0]?["reason"]}[/]"
        );
        var wasGated = IsGated(pod);
        await WaitAsync(() => queue.RunningCount > 0 || !IsGated(server.FindPod(Namespace, name)!), cancellationToken);
        console.MarkupLineInterpolated($"  copying {image} while the Pod waits");
        await WaitAsync(() => !IsGated(server.FindPod(Namespace, name)!), cancellationToken);
        var released = server.FindPod(Namespace, name)!;
        var waited = TimeProvider.System.GetElapsedTime(started).TotalMilliseconds;
        var isCopied = downstream.Repository($"mirror/team/{name}").Find("1.0") is not null;
        var isGood = wasGated && ImageOf(released) == expected && isCopied == (expected != image);
        if (isCopied)
            console.MarkupLineInterpolated($"  copied to {expected}: {downstream.Repository($"mirror/team/{name}").Blobs.Count} blobs");
        console.MarkupLineInterpolated(
            $"  released after {waited:0} ms with {ImageOf(released)}{(isGood ? "" : ", which is NOT the expected image")}"
        );
        if ((string?)released["metadata"]!["annotations"]?["proxyswapper.io/left-original"] is { } reason)
            console.MarkupLineInterpolated($"  [grey]proxyswapper.io/left-original: {reason}[/]");
        return isGood;
    }

    private static void Register(InMemoryApiServer server, DemoWebhook webhook) =>
        server.Store.Create(
            new ApiPath("admissionregistration.k8s.io/v1", "mutatingwebhookconfigurations", null, "demo", ""),
            new JsonObject
            {
                ["metadata"] = new JsonObject { ["name"] = "demo" },
                ["webhooks"] = new JsonArray(
                    new JsonObject
                    {
                        ["name"] = "swap.proxyswapper.io",
                        ["clientConfig"] = new JsonObject { ["url"] = webhook.Address.ToString(), ["caBundle"] = webhook.CaBundle },
                        ["rules"] = new JsonArray(
                            new JsonObject { ["operations"] = new JsonArray("CREATE"), ["resources"] = new JsonArray("pods") }
                        ),
                    }
                ),
            },
            isDryRun: false
        );

    private static async Task WaitAsync(Func<bool> condition, CancellationToken cancellationToken)
    {
        using var timeout = new OperationTimeout(Timeout, TimeProvider.System, cancellationToken);
        while (!condition() && !timeout.HasPassed)
            await Task.Delay(TimeSpan.FromMilliseconds(5), TimeProvider.System, timeout.Token)
                .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        cancellationToken.ThrowIfCancellationRequested();
    }

    /// <summary>What the demo looks at.</summary>
    private sealed record Parts(InMemoryApiServer Server, InMemoryRegistry Downstream, PopulationQueue Queue);

    private static bool IsGated(JsonNode pod) => pod["spec"]!["schedulingGates"] is JsonArray { Count: > 0 };

    private static string? ImageOf(JsonNode pod) => (string?)pod["spec"]!["containers"]![0]!["image"];
}
