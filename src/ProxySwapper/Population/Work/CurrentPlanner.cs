using ProxySwapper.Rules;

namespace ProxySwapper.Population.Work;

/// <summary>The planner of the current configuration, compiled once per configuration.</summary>
internal sealed class CurrentPlanner(ConfigurationMonitor rules)
{
    private volatile Compiled? _compiled;

    /// <summary>The planner for the current rules.</summary>
    public PopulationPlanner Value => For(rules.Current);

    /// <summary>The planner for a snapshot of the rules that has also decided what images are rewritten to.</summary>
    public PopulationPlanner For(RuleSet snapshot)
    {
        var compiled = _compiled;
        if (compiled?.Rules != snapshot)
            _compiled = compiled = new Compiled(snapshot, PopulationPlanner.Compile(snapshot.Options.Populate));
        return compiled.Planner;
    }

    private sealed record Compiled(RuleSet Rules, PopulationPlanner Planner);
}
