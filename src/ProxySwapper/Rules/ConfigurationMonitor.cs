using ProxySwapper.Configuration.Yaml;

namespace ProxySwapper.Rules;

/// <summary>The rule set in force, always the last good one, and what became of the last reload.</summary>
internal sealed class ConfigurationMonitor(RuleSet first, DateTimeOffset at)
{
    private volatile RuleSet _current = first;
    private volatile ReloadState _lastReload = new(at, []);

    public RuleSet Current => _current;

    public ReloadState LastReload => _lastReload;

    /// <summary>Puts another rule set in force.</summary>
    public void Apply(RuleSet rules, DateTimeOffset now)
    {
        _current = rules;
        _lastReload = new ReloadState(now, []);
    }

    /// <summary>Keeps the rule set in force, and remembers why the new one was refused.</summary>
    public void Reject(IReadOnlyList<ConfigurationFault> faults, DateTimeOffset now) => _lastReload = new ReloadState(now, faults);
}

/// <summary>How the configuration was loaded last.</summary>
/// <param name="At">When.</param>
/// <param name="Faults">Why it was refused; empty when it was taken.</param>
internal sealed record ReloadState(DateTimeOffset At, IReadOnlyList<ConfigurationFault> Faults)
{
    public bool IsSuccessful => Faults.Count == 0;
}
