using System.Diagnostics;
using System.Globalization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using ProxySwapper.Registry.InMemory;
using ProxySwapper.Testing.Images;
using ProxySwapper.Testing.Kubernetes;
using ProxySwapper.Testing.Processes;
using ProxySwapper.Testing.Time;

namespace ProxySwapper.IntegrationTests.Population;

/// <summary>The Pods of a large cluster are read as a stream.</summary>
[TestFixture, NonParallelizable]
internal sealed class ReconcileMemoryTests
{
    private const int Pods = 50_000;
    private const int Images = 500;
    private const long MaximumGrowth = 30_000_000;

    private volatile int _pods;
    private string _downstream = "";

    [Test]
    public async Task Fifty_thousand_pods_with_five_hundred_images_add_at_most_thirty_megabytes()
    {
        await using var downstream = await InMemoryRegistry.StartAsync();
        _downstream = downstream.Address;
        for (var image = 0; image < Images; image++)
            TestImage.Create(900, 1, 100).AddTo(downstream, $"mirror/team/app{image}", "1");
        await using var server = LoopbackServer.Build();
        server.Run(RespondAsync);
        await server.StartAsync();
        using var folder = new TemporaryFolder();
        var kubeconfig = folder.Write("kubeconfig", TestKubeconfig.Of(server.Urls.Single()));
        await using var program = await ProxySwapperProcess.StartAsync(
            $$"""
            rules: [{match: docker.io, target: "{{downstream.Address}}/mirror"}]
            populate: {reconcileEvery: 2s}
            """,
            new Dictionary<string, string> { ["KUBECONFIG"] = kubeconfig }
        );
        await TestWait.UntilAsync(() => program.Log.Split("Reconciled Pods: 0,").Length > 3, "the first looks");
        // The first Pod loads the code.
        _pods = 1;
        await TestWait.UntilAsync(() => program.Log.Split("Reconciled Pods: 1,").Length > 3, "looks at one Pod");
        var before = ResidentOf(program.Id);
        var peak = before;
        _pods = Pods;
        await TestWait.UntilAsync(
            () =>
            {
                peak = Math.Max(peak, ResidentOf(program.Id));
                return program.Log.Contains($"Reconciled Pods: {Pods},", StringComparison.Ordinal);
            },
            "the look at all Pods"
        );
        var growth = Math.Max(peak, ResidentOf(program.Id)) - before;
        TestContext.Out.WriteLine($"{before / 1e6:0.0} MB before, at most {growth / 1e6:0.0} MB more");
        Assert.That(growth, Is.LessThan(MaximumGrowth), $"{before} bytes before");
        Assert.That(program.Log, Does.Contain($"their images: {Images}; missing downstream and queued: 0"));
    }

    private async Task RespondAsync(HttpContext context)
    {
        context.Response.ContentType = "application/json";
        var query = context.Request.Query;
        if (context.Request.Path == "/version")
            await context.Response.WriteAsync("""{"major":"1","minor":"26","gitVersion":"v1.26.0"}""");
        else if (query["watch"] == "true")
        {
            await context.Response.StartAsync();
            await context.Response.Body.FlushAsync();
            await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, context.RequestAborted)
                .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
        else if (_pods == 0 || !context.Request.Path.Value!.EndsWith("/pods", StringComparison.Ordinal) || IsOfWatch(query))
            await context.Response.WriteAsync("""{"metadata":{"resourceVersion":"1"},"items":[]}""");
        else
            await WritePageAsync(context.Response, query);
    }

    private static bool IsOfWatch(IQueryCollection query) =>
        query["fieldSelector"].ToString().Contains("nodeName", StringComparison.Ordinal);

    private async Task WritePageAsync(HttpResponse response, IQueryCollection query)
    {
        var pods = _pods;
        var start = int.TryParse(query["continue"], out var token) ? token : 0;
        var end = Math.Min(pods, start + int.Parse(query["limit"].ToString(), CultureInfo.InvariantCulture));
        var more = end < pods ? $",\"continue\":\"{end}\"" : "";
        await response.WriteAsync($$"""{"metadata":{"resourceVersion":"1"{{more}} },"items":[""");
        for (var index = start; index < end; index++)
            await response.WriteAsync((index == start ? "" : ",") + Pod(index));
        await response.WriteAsync("]}");
    }

    /// <summary>A Pod of a realistic size.</summary>
    private string Pod(int index) =>
        $$"""
            {"metadata":{"name":"app-{{index}}","namespace":"team-{{index % 50}}","uid":"{{Guid.NewGuid()}}",
             "annotations":{"original-image.proxyswapper.io/main":"team/app{{index % Images}}:1","note":"{{new string('x', 2000)}}"} },
             "spec":{"nodeName":"node{{index % 100}}","serviceAccountName":"default",
             "containers":[{"name":"main","image":"{{_downstream}}/mirror/team/app{{index % Images}}:1"}]},"status":{"phase":"Running"} }
            """;

    private static long ResidentOf(int process)
    {
        using var running = Process.GetProcessById(process);
        return running.WorkingSet64;
    }
}
