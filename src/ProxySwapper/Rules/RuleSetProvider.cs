namespace ProxySwapper.Rules;

/// <summary>The rule set in force: the last good one.</summary>
internal sealed class RuleSetProvider(RuleSet first)
{
    public RuleSet Current { get; private set; } = first;
}
