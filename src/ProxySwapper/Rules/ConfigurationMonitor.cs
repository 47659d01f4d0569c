using ProxySwapper.Configuration.Yaml;

namespace ProxySwapper.Rules;

/// <summary>The current rule set, always the last valid one, and the result of the last reload.</summary>
internal sealed class ConfigurationMonitor(RuleSet first, DateTimeOffset at)
{
    private volatile RuleSet _current = first;
    private volatile ReloadState _lastReload = new(at, []);

    public RuleSet Current => _current;

    public ReloadState LastReload => _lastReload;

    /// <summary>Replaces the current rule set.</summary>
    public void Apply(RuleSet rules, DateTimeOffset now)
    {
        _current = rules;
        _lastReload = new ReloadState(now, []);
    }

    /// <summary>Keeps the current rule set and records why the new one was rejected.</summary>
    public void Reject(IReadOnlyList<ConfigurationFault> faults, DateTimeOffset now) => _lastReload = new ReloadState(now, faults);
}

/// <summary>The result of the last configuration load.</summary>
/// <param name="At">When.</param>
/// <param name="Faults">Why it was rejected; empty when it was applied.</param>
internal sealed record ReloadState(DateTimeOffset At, IReadOnlyList<ConfigurationFault> Faults)
{
    public bool IsSuccessful => Faults.Count == 0;
}
