using System.Diagnostics.Metrics;
using ProxySwapper.AdmissionPolicies;
using ProxySwapper.Configuration;
using ProxySwapper.Configuration.Yaml;
using ProxySwapper.Rules;

namespace ProxySwapper.Serving;

/// <summary>
/// Looks at the configuration file every second and reloads it when its text is another one. Reading beats listening here: a
/// ConfigMap is mounted behind symlinks that are swapped, which file notifications miss on some file systems.
/// </summary>
internal sealed partial class ConfigurationWatcher : BackgroundService
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);

    private static readonly string[] ResultNames = ["success", "failure"];

    private readonly string _file;
    private readonly IReadOnlyDictionary<string, string> _environment;
    private readonly ConfigurationMonitor _provider;
    private readonly ServedPolicy _policy;
    private readonly TimeProvider _time;
    private readonly ILogger<ConfigurationWatcher> _logger;
    private readonly Counter<long> _reloads;
    private string? _lastText;

    public ConfigurationWatcher(
        ConfigurationFile file,
        ConfigurationMonitor provider,
        ServedPolicy policy,
        IMeterFactory meters,
        TimeProvider time,
        ILogger<ConfigurationWatcher> logger
    )
    {
        (_file, _environment, _lastText) = (file.Path, file.Environment, file.Text);
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
            description: "1 when the configuration in the file is the one in force, 0 when it was refused."
        );
        meter.CreateObservableGauge(
            "proxyswapper_config_last_reload_timestamp_seconds",
            () => _provider.LastReload.At.ToUnixTimeSeconds(),
            description: "When the configuration was loaded or refused last."
        );
    }

    /// <summary>Reloads the file if it changed; does nothing else.</summary>
    public void Check()
    {
        try
        {
            var text = ConfigurationReader.TextOf(_file);
            if (text == _lastText)
                return;
            _lastText = text;
            if (IsEmpty(text))
                throw new ConfigurationException([new(_file, 1, 1, "", "the file is empty")]);
            var options = ConfigurationReader.ReadText(_file, text, _environment);
            _policy.Apply(_file, text, _environment, options);
            WarnOfRestart(_provider.Current.Options, options);
            _provider.Apply(RuleSet.Compile(options), _time.GetUtcNow());
            _reloads.Add(1, new KeyValuePair<string, object?>("result", "success"));
            Log.Reloaded(_logger, _file, options.Rules.Count);
        }
        catch (ConfigurationException exception) when (_provider.LastReload.Faults.SequenceEqual(exception.Faults))
        {
            // The file is still not there, or still as bad: that was said.
        }
        catch (ConfigurationException exception)
        {
            if (exception.Faults is [{ Line: 0 }])
                _lastText = null;
            _provider.Reject(exception.Faults, _time.GetUtcNow());
            _reloads.Add(1, new KeyValuePair<string, object?>("result", "failure"));
            Log.Refused(_logger, _file, exception.Message);
        }
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Interval, _time);
        while (await timer.WaitForNextTickAsync(stoppingToken))
            Check();
    }

    /// <summary>An emptied file is a mistake, where an empty one at the start leaves all to the environment.</summary>
    private static bool IsEmpty(string text) =>
        text.Split('\n').Select(line => line.Trim()).All(line => line.Length == 0 || line[0] == '#' || line is "---" or "{}");

    /// <summary>What is bound at the start keeps its value until the next one.</summary>
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
        [LoggerMessage(1, LogLevel.Information, "Configuration {File} reloaded, {Rules} rules are in force")]
        public static partial void Reloaded(ILogger logger, string file, int rules);

        [LoggerMessage(2, LogLevel.Error, "Configuration {File} refused, the last good one stays in force: {Faults}")]
        public static partial void Refused(ILogger logger, string file, string faults);

        [LoggerMessage(3, LogLevel.Warning, "Changes of {Keys} take effect after a restart")]
        public static partial void NeedsRestart(ILogger logger, string keys);
    }
}

/// <summary>The configuration file as it was read at the start.</summary>
internal sealed record ConfigurationFile(string Path, string Text, IReadOnlyDictionary<string, string> Environment);
