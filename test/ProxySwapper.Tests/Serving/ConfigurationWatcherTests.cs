using System.Diagnostics.Metrics;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using ProxySwapper.AdmissionPolicies;
using ProxySwapper.Configuration;
using ProxySwapper.Registry;
using ProxySwapper.Rules;
using ProxySwapper.Serving;
using ProxySwapper.Testing.Processes;
using ProxySwapper.Testing.Time;

namespace ProxySwapper.Tests.Serving;

[TestFixture]
internal sealed class ConfigurationWatcherTests
{
    private readonly ManualTimeProvider _time = new();
    private string _folder = "";
    private ServiceProvider _services = null!;

    [SetUp]
    public void MakeFolder()
    {
        _folder = Directory.CreateTempSubdirectory().FullName;
        _services = new ServiceCollection().AddMetrics().BuildServiceProvider();
    }

    [TearDown]
    public void RemoveFolder()
    {
        _services.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    [Test]
    public async Task A_config_map_that_swaps_its_symlink_takes_effect_within_two_seconds()
    {
        // Like kubelet: config.yaml -> ..data/config.yaml, ..data -> a folder named after a time, replaced by a rename.
        Mount("..1", "proxyUrl: one.example");
        Directory.CreateSymbolicLink(Path.Combine(_folder, "..data"), "..1");
        File.CreateSymbolicLink(Path.Combine(_folder, "config.yaml"), "..data/config.yaml");
        var (watcher, provider) = Start();
        await watcher.StartAsync(CancellationToken.None);
        Mount("..2", "proxyUrl: two.example");
        Directory.CreateSymbolicLink(Path.Combine(_folder, "..data_tmp"), "..2");
        Directory.Move(Path.Combine(_folder, "..data"), Path.Combine(_folder, "..old"));
        Directory.Move(Path.Combine(_folder, "..data_tmp"), Path.Combine(_folder, "..data"));
        await _time.FireAsync(ConfigurationWatcher.Interval);
        await TestWait.UntilAsync(() => provider.Current.Options.ProxyUrl == "two.example");
        await watcher.StopAsync(CancellationToken.None);
    }

    [Test]
    public void An_invalid_change_keeps_the_last_valid_rules_and_is_recorded_with_its_faults()
    {
        Write("proxyUrl: one.example");
        var (watcher, provider) = Start();
        _time.Advance(TimeSpan.FromSeconds(5));
        Write("proxyUrl: https://two.example\nport: x");
        watcher.Check();
        Assert.That(provider.Current.Options.ProxyUrl, Is.EqualTo("one.example"));
        Assert.That(provider.LastReload.Faults, Has.Count.EqualTo(2));
        Assert.That(provider.LastReload.At, Is.EqualTo(_time.GetUtcNow()));
        Write("proxyUrl: three.example");
        watcher.Check();
        Assert.That((provider.Current.Options.ProxyUrl, provider.LastReload.IsSuccessful), Is.EqualTo(("three.example", true)));
    }

    [Test]
    public void An_unexpected_fault_keeps_the_rules_is_logged_once_and_the_file_is_read_again()
    {
        Write("proxyUrl: one.example");
        var (time, log) = (new BrokenClock(), new CapturedLog());
        var (watcher, provider) = Start(time, new Logger<ConfigurationWatcher>(log));
        Write("proxyUrl: two.example");
        for (var check = 0; check < 2; check++)
        {
            time.Failures = 1;
            watcher.Check();
            Assert.That(provider.Current.Options.ProxyUrl, Is.EqualTo("one.example"));
            Assert.That(
                provider.LastReload.Faults.Select(fault => fault.ToString()),
                Is.EqualTo(new[] { $"{Path.Combine(_folder, "config.yaml")}: internal error: the clock is broken" })
            );
        }
        Assert.That(log.Lines.Select(line => line.Level), Is.EqualTo(new[] { LogLevel.Error }));
        watcher.Check();
        Assert.That((provider.Current.Options.ProxyUrl, provider.LastReload.IsSuccessful), Is.EqualTo(("two.example", true)));
    }

    [Test]
    public void A_temporarily_missing_file_keeps_the_rules_and_is_read_when_it_is_back()
    {
        Write("proxyUrl: one.example");
        var (watcher, provider) = Start();
        File.Delete(Path.Combine(_folder, "config.yaml"));
        watcher.Check();
        watcher.Check();
        Assert.That((provider.Current.Options.ProxyUrl, provider.LastReload.IsSuccessful), Is.EqualTo(("one.example", false)));
        Write("proxyUrl: one.example");
        watcher.Check();
        Assert.That(provider.LastReload.IsSuccessful, Is.True);
    }

    [Test]
    public void A_file_that_is_replaced_by_rename_is_read()
    {
        Write("proxyUrl: one.example");
        var (watcher, provider) = Start();
        File.WriteAllText(Path.Combine(_folder, "new"), "proxyUrl: two.example");
        File.Move(Path.Combine(_folder, "new"), Path.Combine(_folder, "config.yaml"), overwrite: true);
        watcher.Check();
        Assert.That(provider.Current.Options.ProxyUrl, Is.EqualTo("two.example"));
    }

    [Test]
    public void A_file_that_did_not_change_is_not_reloaded()
    {
        Write("proxyUrl: one.example");
        var (watcher, provider) = Start();
        var before = provider.Current;
        watcher.Check();
        Assert.That(provider.Current, Is.SameAs(before));
    }

    [TestCase("")]
    [TestCase("{}")]
    [TestCase("{ }")]
    [TestCase("!!map {}")]
    [TestCase("&a {}")]
    [TestCase("# x\n---\n...\n")]
    [TestCase("--- # x\n~")]
    [TestCase("null")]
    public void A_file_that_has_lost_its_keys_keeps_the_rules(string text)
    {
        Write("proxyUrl: one.example");
        var (watcher, provider) = Start();
        Write(text);
        watcher.Check();
        Assert.That((provider.Current.Options.ProxyUrl, provider.LastReload.IsSuccessful), Is.EqualTo(("one.example", false)));
        Assert.That(
            provider.LastReload.Faults.Single().Line,
            Is.GreaterThan(0),
            "which says where, and is not read again until it changes"
        );
    }

    [TestCase("rules:")]
    [TestCase("rules: []")]
    [TestCase("logLevel: debug")]
    public void A_configuration_without_a_rule_is_taken_with_the_warning_of_the_start(string text)
    {
        Write("proxyUrl: one.example");
        using var log = new CapturedLog();
        var (watcher, provider) = Start(logger: log.CreateLogger<ConfigurationWatcher>());
        Write("proxyUrl: two.example");
        watcher.Check();
        Assert.That(log.Text, Does.Not.Contain("No rules and no proxyUrl"));
        Write(text);
        watcher.Check();
        Assert.That((provider.Current.Options.ProxyUrl, provider.LastReload.IsSuccessful), Is.EqualTo(((string?)null, true)));
        Assert.That(log.Text, Does.Contain("No rules and no proxyUrl: all images are left unchanged"));
    }

    [Test]
    public void A_reload_logs_what_the_start_logs()
    {
        Write("proxyUrl: one.example");
        using var log = new CapturedLog();
        var (watcher, _) = Start(logger: log.CreateLogger<ConfigurationWatcher>());
        Write("{proxyUrl: two.example, dryRun: true}");
        watcher.Check();
        Assert.That(
            log.Lines.Select(line => line.Text),
            Is.EqualTo([
                $"Configuration {Path.Combine(_folder, "config.yaml")} reloaded",
                "Images go to two.example; rules: 1, swapPolicy: always, populate.policy: gate",
                "dryRun is on: decisions are logged, counted and shown at /populate; nothing is patched, gated or copied",
            ])
        );
    }

    private void Write(string text) => File.WriteAllText(Path.Combine(_folder, "config.yaml"), text);

    private void Mount(string name, string text)
    {
        Directory.CreateDirectory(Path.Combine(_folder, name));
        File.WriteAllText(Path.Combine(_folder, name, "config.yaml"), text);
    }

    private (ConfigurationWatcher Watcher, ConfigurationMonitor Provider) Start(
        TimeProvider? time = null,
        ILogger<ConfigurationWatcher>? logger = null
    )
    {
        var path = Path.Combine(_folder, "config.yaml");
        var file = new ConfigurationFile(path, ConfigurationReader.TextOf(path));
        var provider = new ConfigurationMonitor(
            RuleSet.Compile(ConfigurationReader.ReadText(path, file.Text, EnvironmentVariables.None)),
            _time.GetUtcNow()
        );
        return (
            new ConfigurationWatcher(
                file,
                EnvironmentVariables.None,
                provider,
                new ServedPolicy(),
                _services.GetRequiredService<IMeterFactory>(),
                time ?? _time,
                logger ?? NullLogger<ConfigurationWatcher>.Instance
            ),
            provider
        );
    }

    /// <summary>Fails where the configuration is applied, which nothing in the file can cause.</summary>
    private sealed class BrokenClock : TimeProvider
    {
        public int Failures { get; set; }

        public override DateTimeOffset GetUtcNow() =>
            Failures-- > 0 ? throw new InvalidOperationException("the clock is broken") : DateTimeOffset.UnixEpoch;
    }
}
