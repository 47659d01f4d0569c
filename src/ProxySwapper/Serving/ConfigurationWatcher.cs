using System.Diagnostics.Metrics;
using ProxySwapper.AdmissionPolicies;
using ProxySwapper.Configuration;
using ProxySwapper.Configuration.Yaml;
using ProxySwapper.Management;
using ProxySwapper.Registry;
using ProxySwapper.Rules;

namespace ProxySwapper.Serving;

/// <summary>
/// Reads the configuration file every second and reloads it when its text changes. Polling is more reliable here: a ConfigMap is mounted
/// behind symlinks that are swapped, which file notifications miss on some file systems.
/// </summary>
internal sealed partial class ConfigurationWatcher : BackgroundService
{
    public static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);

    private static readonly string[] ResultNames = ["success", "failure"];

    private readonly string _file;
    private readonly EnvironmentVariables _environment;
    private readonly ConfigurationMonitor _provider;
    private readonly ServedPolicy _policy;
    private readonly TimeProvider _time;
    private readonly ILogger<ConfigurationWatcher> _logger;
    private readonly Counter<long> _reloads;
    private string? _lastText;

    public ConfigurationWatcher(
        ConfigurationFile file,
        EnvironmentVariables environment,
        ConfigurationMonitor provider,
        ServedPolicy policy,
        IMeterFactory meters,
        TimeProvider time,
        ILogger<ConfigurationWatcher> logger
    )
    {
        (_file, _environment, _lastText) = (file.Path, environment, file.Text);
        (_provider, _policy, _time, _logger) = (provider, policy, time, logger);
        var meter = meters.Create("ProxySwapper");
        _reloads = meter.CreateCounter<long>(
            "proxyswapper_config_reloads_total",
            unit: null,
            description: "Reloads of the configuration file, by result.",
            tags: [new("result", ResultNames)]
        );
        meter.CreateObservableGauge(
            "proxyswapper_config_last_reload_successful",
            () => _provider.LastReload.IsSuccessful ? 1 : 0,
            description: "1 if the configuration in the file is in use, 0 if it was rejected."
        );
        meter.CreateObservableGauge(
            "proxyswapper_config_last_reload_timestamp_seconds",
            () => _provider.LastReload.At.ToUnixTimeSeconds(),
            description: "Time of the last attempt to load the configuration file, in seconds since the Unix epoch."
        );
    }

    /// <summary>Reloads the file if it changed. Whatever happens, the last valid configuration stays and the next change is read.</summary>
    public void Check()
    {
        try
        {
            var text = ConfigurationReader.TextOf(_file);
            if (text == _lastText)
                return;
            _lastText = text;
            Apply(text);
        }
        catch (ConfigurationException exception)
        {
            if (exception.Faults is [{ Line: 0 }])
                _lastText = null;
            Reject(exception.Faults, null);
        }
        catch (Exception exception)
        {
            // Not the file's fault, perhaps: it is read again.
            _lastText = null;
            Reject([new(_file, 0, 0, "", $"internal error: {exception.Message}")], exception);
        }
    }

    private void Apply(string text)
    {
        if (ConfigurationReader.IsEmpty(_file, text))
            throw new ConfigurationException([
                new(_file, 1, 1, "", "the file has no keys; to leave all images unchanged, write 'rules: []'"),
            ]);
        var options = ConfigurationReader.ReadText(_file, text, _environment);
        var rules = RuleSet.Compile(options);
        _policy.Apply(_file, text, _environment, options);
        WarnOfRestart(_provider.Current.Options, options);
        _provider.Apply(rules, _time.GetUtcNow());
        MetricHosts.Reserve(rules);
        _reloads.Add(1, new KeyValuePair<string, object?>("result", "success"));
        Log.Reloaded(_logger, _file);
        StartupSummary.Write(options, _logger);
    }

    private void Reject(IReadOnlyList<ConfigurationFault> faults, Exception? bug)
    {
        // Still missing or invalid, which was already logged.
        if (_provider.LastReload.Faults.SequenceEqual(faults))
            return;
        _provider.Reject(faults, _time.GetUtcNow());
        _reloads.Add(1, new KeyValuePair<string, object?>("result", "failure"));
        Log.Rejected(_logger, _file, string.Join('\n', faults), bug);
    }

    protected override Task ExecuteAsync(CancellationToken stoppingToken) =>
        BackgroundWork.KeepRunningAsync(WorkAsync, _time, _logger, stoppingToken);

    private async Task WorkAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Interval, _time);
        while (await timer.WaitForNextTickAsync(stoppingToken))
            Check();
    }

    /// <summary>Settings that only take effect at startup.</summary>
    private void WarnOfRestart(ProxySwapperOptions old, ProxySwapperOptions changed)
    {
        List<string> keys = [];
        if (old.Port != changed.Port)
            keys.Add("port");
        if (old.ManagementPort != changed.ManagementPort)
            keys.Add("managementPort");
        if (old.TlsCertPath != changed.TlsCertPath)
            keys.Add("tlsCertPath");
        if (old.TlsKeyPath != changed.TlsKeyPath)
            keys.Add("tlsKeyPath");
        if (old.DrainDelay != changed.DrainDelay)
            keys.Add("drainDelay");
        if (old.ShutdownGracePeriod != changed.ShutdownGracePeriod)
            keys.Add("shutdownGracePeriod");
        if (old.LogLevel != changed.LogLevel)
            keys.Add("logLevel");
        if (old.LogFormat != changed.LogFormat)
            keys.Add("logFormat");
        if (old.ManagementTokenFrom != changed.ManagementTokenFrom)
            keys.Add("management.tokenFrom");
        if (old.Certificates?.Secret != changed.Certificates?.Secret || old.Certificates?.Webhook != changed.Certificates?.Webhook)
            keys.Add("certificates");
        if (old.AdmissionPolicy.Name != changed.AdmissionPolicy.Name)
            keys.Add("admissionPolicy.name");
        if (!WithoutRepositories(old).SequenceEqual(WithoutRepositories(changed)))
            keys.Add("registries");
        if (keys.Count > 0)
            Log.NeedsRestart(_logger, string.Join(", ", keys));
    }

    private static IEnumerable<RegistryEntryOptions> WithoutRepositories(ProxySwapperOptions options) =>
        options.Registries.Select(entry => entry with { CreateRepositories = null });

    private static partial class Log
    {
        [LoggerMessage(1, LogLevel.Information, "Configuration {File} reloaded")]
        public static partial void Reloaded(ILogger logger, string file);

        [LoggerMessage(2, LogLevel.Error, "Rejected configuration {File}, keeping the current one: {Faults}")]
        public static partial void Rejected(ILogger logger, string file, string faults, Exception? bug);

        [LoggerMessage(3, LogLevel.Warning, "Changes of {Keys} take effect after a restart")]
        public static partial void NeedsRestart(ILogger logger, string keys);
    }
}

/// <summary>The configuration file as read at startup.</summary>
internal sealed record ConfigurationFile(string Path, string Text);
