using ProxySwapper.Rules;

namespace ProxySwapper.Population.Work;

/// <summary>The planner of the current configuration, compiled once per configuration.</summary>
internal sealed class CurrentPlanner(ConfigurationMonitor rules)
{
    private volatile Compiled? _compiled;

    /// <summary>The planner for the current rules.</summary>
    public PopulationPlanner Value
    {
        get
        {
            var current = rules.Current;
            var compiled = _compiled;
            if (compiled?.Rules != current)
                _compiled = compiled = new Compiled(current, PopulationPlanner.Compile(current.Options.Populate));
            return compiled.Planner;
        }
    }

    private sealed record Compiled(RuleSet Rules, PopulationPlanner Planner);
}
