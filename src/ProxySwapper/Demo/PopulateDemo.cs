using System.Text.Json.Nodes;
using ProxySwapper.Configuration;
using ProxySwapper.Kubernetes.InMemory;
using ProxySwapper.Population.Queue;
using ProxySwapper.Population.Transfer;
using ProxySwapper.Population.Work;
using ProxySwapper.Registry;
using ProxySwapper.Registry.Copying;
using ProxySwapper.Registry.Credentials;
using ProxySwapper.Registry.Distribution;
using ProxySwapper.Registry.InMemory;
using ProxySwapper.Registry.Oci;
using ProxySwapper.Registry.Timing;
using Spectre.Console;

namespace ProxySwapper.Demo;

/// <summary>
/// Sends a Pod through the webhook, with two registries in this process. The Pod's image exists in the first one and is copied to the
/// second, which the demo proves by pulling it.
/// </summary>
internal sealed class PopulateDemo(IAnsiConsole console, ProxySwapperOptions options)
{
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(30);

    /// <summary>Runs the demo; true if the image is downstream with its upstream digest.</summary>
    public async Task<bool> RunAsync(CancellationToken cancellationToken)
    {
        await using var upstream = await InMemoryRegistry.StartAsync(cancellationToken: cancellationToken);
        await using var downstream = await InMemoryRegistry.StartAsync(cancellationToken: cancellationToken);
        var index = DemoImage.AddTo(upstream, "team/shop", "1.0");
        var rule = new RuleOptions { Match = upstream.Address, Target = $"{downstream.Address}/mirror" };
        await using var webhook = await DemoWebhook.StartAsync(
            options with
            {
                Rules = [rule],
                Populate = new PopulateOptions(),
            },
            cancellationToken
        );
        var (source, target) = ($"{upstream.Address}/team/shop:1.0", $"{downstream.Address}/mirror/team/shop:1.0");
        console.WriteLine();
        console.MarkupLineInterpolated(
            $"[bold]Two registries[/]: images of [blue]{upstream.Address}[/] go to [green]{downstream.Address}/mirror[/], which is empty."
        );
        var pod = JsonNode
            .Parse($$"""{"metadata":{"name":"shop"},"spec":{"containers":[{"name":"shop","image":"{{source}}"}]} }""")!
            .AsObject();
        var started = TimeProvider.System.GetTimestamp();
        var (patch, _) = await webhook.ReviewAsync(pod, cancellationToken);
        var rewritten = (string?)JsonPatch.Apply(pod, patch ?? [])["spec"]!["containers"]![0]!["image"];
        var responded = TimeProvider.System.GetElapsedTime(started).TotalMilliseconds;
        console.MarkupLineInterpolated($"  {source} [green]→[/] [green]{rewritten}[/] [grey]responded in {responded:0} ms[/]");
        if (rewritten != target || !await IsCopiedAsync(webhook.Get<PopulationQueue>(), target, cancellationToken))
        {
            console.MarkupLineInterpolated($"  The image was NOT copied downstream.");
            return false;
        }
        var copied = TimeProvider.System.GetElapsedTime(started).TotalMilliseconds;
        var blobs = downstream.Repository("mirror/team/shop").Blobs.Count;
        console.MarkupLineInterpolated($"  copied after {copied:0} ms, all platforms: {CountFormat.Format(blobs, "blob")}");
        return await VerifyAsync(ImageReference.Parse(target), index.Digest, cancellationToken);
    }

    private static async Task<bool> IsCopiedAsync(PopulationQueue queue, string target, CancellationToken cancellationToken)
    {
        using var timeout = new OperationTimeout(Timeout, TimeProvider.System, cancellationToken);
        try
        {
            // The Pod is queued after the response, so its job may appear a moment later.
            while (!queue.Known.IsKnown(target))
                await Task.Delay(TimeSpan.FromMilliseconds(5), TimeProvider.System, timeout.Token);
            return true;
        }
        catch (OperationCanceledException) when (timeout.HasPassed)
        {
            return false;
        }
    }

    private async Task<bool> VerifyAsync(ImageReference target, Digest expected, CancellationToken cancellationToken)
    {
        using var clients = new RegistryClients(
            new RegistryOptions(),
            TimeProvider.System,
            Microsoft.Extensions.Logging.Abstractions.NullLoggerFactory.Instance
        );
        // Warming a cache pulls like a node, verifying every byte.
        var warmer = new CacheWarmer(clients, CredentialChain.Anonymous, TimeProvider.System);
        var isGood = true;
        foreach (var architecture in (string[])["amd64", "arm64"])
        {
            var pulled = await warmer.WarmAsync(
                new WarmUpWork(target, target.Repository, new Platform("linux", architecture)),
                new Progress<CopyProgress>(),
                cancellationToken
            );
            isGood &= pulled.Digest == expected.ToString();
            console.MarkupLineInterpolated($"  pulled for linux/{architecture}: {pulled.Bytes} bytes, every digest verified");
        }
        console.MarkupLineInterpolated(
            $"  [green]{target}[/] is {expected}, {(isGood ? "the upstream digest" : "NOT the upstream digest")}."
        );
        return isGood;
    }
}
