using ProxySwapper.Configuration;
using ProxySwapper.Registries;
using ProxySwapper.Registry;
using ProxySwapper.Registry.InMemory;
using ProxySwapper.Reporting;
using ProxySwapper.Rules;
using ProxySwapper.Testing.Images;
using ProxySwapper.Testing.Processes;

namespace ProxySwapper.Tests.Reporting;

/// <summary>Targets are checked in parallel, within each host's limit.</summary>
[TestFixture]
internal sealed class DownstreamCheckTests
{
    private const int Images = 40;
    private const int Limit = 5;

    [Test]
    public async Task Hosts_are_queried_in_parallel_and_none_beyond_its_limit()
    {
        var gate = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var reached = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var counts = new[] { new Counter(), new Counter() };
        await using var first = await StartAsync(counts[0]);
        await using var second = await StartAsync(counts[1]);
        var builder = new ReportBuilder(
            RuleSet.Compile(
                new ProxySwapperOptions
                {
                    Rules =
                    [
                        new RuleOptions { Match = "one.example.com", Target = $"{first.Address}/one" },
                        new RuleOptions { Match = "two.example.com", Target = $"{second.Address}/two" },
                    ],
                }
            ),
            ReportCluster.ChartDefaults
        );
        for (var image = 0; image < Images; image++)
            foreach (var host in new[] { "one", "two" })
                builder.AddTemplate([
                    new ImageUse($"{host}.example.com/app{image}:1", null, null, new Workload("Job", "team", "job"), PodTraits.None),
                ]);
        using var registries = Connect(first, second);
        var progress = new List<int>();
        var check = new DownstreamCheck(registries, compareDigests: false).RunAsync(
            builder.Entries,
            done =>
            {
                lock (progress)
                    progress.Add(done);
            },
            default
        );
        try
        {
            await reached.Task.WaitAsync(TimeSpan.FromMinutes(1));
        }
        finally
        {
            gate.SetResult();
            await check;
        }
        Assert.That(counts.Select(counter => counter.Most), Is.EqualTo([Limit, Limit]), "at once at each host");
        Assert.That(progress, Is.EquivalentTo(Enumerable.Range(1, 2 * Images)));
        Assert.That(builder.Entries.Select(entry => entry.Presence).Distinct(), Is.EqualTo([Presence.Missing]));

        Task<InMemoryRegistry> StartAsync(Counter counter) =>
            InMemoryRegistry.StartAsync(
                new InMemoryRegistryOptions
                {
                    Interceptor = async (context, next) =>
                    {
                        if (context.Request.Path.Value!.Contains("/manifests/", StringComparison.Ordinal))
                        {
                            counter.Begin();
                            if (counts.All(one => one.Most >= Limit))
                                reached.TrySetResult();
                            try
                            {
                                await gate.Task.WaitAsync(context.RequestAborted);
                            }
                            finally
                            {
                                counter.End();
                            }
                        }
                        await next(context);
                    },
                }
            );
    }

    [Test]
    public async Task A_source_that_is_gone_is_reported()
    {
        await using var source = await InMemoryRegistry.StartAsync();
        await using var target = await InMemoryRegistry.StartAsync();
        TestImage.Create(1).AddTo(source, "kept", "1");
        foreach (var name in new[] { "kept", "gone" })
            TestImage.Create(1).AddTo(target, $"mirror/{name}", "1");
        var rule = new RuleOptions { Match = source.Address, Target = $"{target.Address}/mirror" };
        var builder = new ReportBuilder(RuleSet.Compile(new ProxySwapperOptions { Rules = [rule] }), ReportCluster.ChartDefaults);
        foreach (var name in new[] { "kept", "gone" })
            builder.AddTemplate([
                new ImageUse($"{source.Address}/{name}:1", null, null, new Workload("Job", "team", name), PodTraits.None),
            ]);
        using var registries = Connect(source, target);
        await new DownstreamCheck(registries, compareDigests: true).RunAsync(builder.Entries, _ => { }, default);
        Assert.That(builder.Entries.Select(entry => entry.State), Is.All.EqualTo(ImageState.Downstream));
        Assert.That(builder.Entries.Select(entry => entry.IsSameDigest), Is.EqualTo(new bool?[] { true, null }));
        Assert.That(builder.Entries.Last().Problem, Does.StartWith($"{source.Address}/gone:1: not found (HTTP 404)"));
    }

    [TestCase(true, ImageState.Unknown)]
    [TestCase(false, ImageState.OnDemand, Description = "A cache of each node")]
    public async Task A_registry_at_each_nodes_localhost_is_not_judged_from_here(bool populate, ImageState state)
    {
        var target = $"localhost:{TestProcess.FreePort()}";
        var rule = new RuleOptions
        {
            Match = "docker.io",
            Target = target,
            Populate = populate,
        };
        var builder = new ReportBuilder(RuleSet.Compile(new ProxySwapperOptions { Rules = [rule] }), ReportCluster.ChartDefaults);
        builder.AddTemplate([new ImageUse("nginx:1", null, null, new Workload("Job", "team", "job"), PodTraits.None)]);
        using var registries = DownstreamCheck.Connect(
            [],
            TimeProvider.System,
            Microsoft.Extensions.Logging.Abstractions.NullLoggerFactory.Instance
        );
        await new DownstreamCheck(registries, compareDigests: false).RunAsync(builder.Entries, _ => { }, default);
        var entry = builder.Entries.Single();
        Assert.That(entry.State, Is.EqualTo(state));
        Assert.That(entry.Problem, Does.StartWith($"{target} is a registry on each node, and was checked on this machine: "));
    }

    [Test]
    public async Task What_a_target_that_fills_itself_has_is_on_demand()
    {
        await using var target = await InMemoryRegistry.StartAsync();
        TestImage.Create(1).AddTo(target, "hub/team/app", "1");
        var rule = new RuleOptions
        {
            Match = "quay.io",
            Target = $"{target.Address}/hub",
            Populate = false,
        };
        var builder = new ReportBuilder(RuleSet.Compile(new ProxySwapperOptions { Rules = [rule] }), ReportCluster.ChartDefaults);
        foreach (var image in (string[])["quay.io/team/app:1", $"{target.Address}/hub/team/app:1", "quay.io/team/app:2"])
            builder.AddTemplate([new ImageUse(image, null, null, new Workload("Job", "team", "job"), PodTraits.None)]);
        using var registries = Connect(target);
        await new DownstreamCheck(registries, compareDigests: false).RunAsync(builder.Entries, _ => { }, default);
        Assert.That(
            builder.Entries.Select(entry => entry.State),
            Is.EqualTo([ImageState.OnDemand, ImageState.OnDemand, ImageState.Missing])
        );
    }

    private static RegistryServices Connect(params InMemoryRegistry[] hosts) =>
        DownstreamCheck.Connect(
            [
                .. hosts.Select(host => new RegistryEntryOptions
                {
                    Host = RegistryName.Parse(host.Address),
                    PlainHttp = true,
                    MaxConcurrency = Limit,
                }),
            ],
            TimeProvider.System,
            Microsoft.Extensions.Logging.Abstractions.NullLoggerFactory.Instance
        );

    private sealed class Counter
    {
        private readonly Lock _gate = new();
        private int _now;

        public int Most { get; private set; }

        public void Begin()
        {
            lock (_gate)
                Most = Math.Max(Most, ++_now);
        }

        public void End()
        {
            lock (_gate)
                _now--;
        }
    }
}
