using System.Text;

namespace ProxySwapper.AdmissionPolicies;

/// <summary>Splits the rules over variables, so that none costs more than the API server allows.</summary>
internal static class RuleChunks
{
    /// <summary>The length up to which a variable's expression is filled, so that what surrounds its rules fits too.</summary>
    private const int MaximumLength = CelCost.MaximumLength - 1000;

    /// <summary>
    /// Splits items into chunks whose cost and length fit into one variable each; an item too large to fit has its own chunk.
    /// </summary>
    public static IEnumerable<IReadOnlyList<T>> Cut<T>(IEnumerable<T> items, Func<T, long> costOf, Func<T, string> textOf)
    {
        var chunk = new List<T>();
        var (cost, length) = (0L, 0);
        foreach (var item in items)
        {
            var own = textOf(item).Length;
            if (
                chunk.Count > 0
                && (
                    chunk.Count == CelCost.MaximumRulesOfVariable
                    || CelCost.OfVariable([cost, costOf(item)]) > CelCost.MaximumOfVariable
                    || length + own > MaximumLength
                )
            )
            {
                yield return chunk;
                (chunk, cost, length) = ([], 0, 0);
            }
            chunk.Add(item);
            cost += costOf(item);
            length += own;
        }
        if (chunk.Count > 0)
            yield return chunk;
    }

    /// <summary>A condition with its comment, in the lines of an expression.</summary>
    public static string TextOf(Exclusion item) => $"\n  {CelText.Comment(item.Comment)}\n  {item.Condition.Expression}";

    /// <summary>A rule, in the lines of an expression.</summary>
    public static string TextOf(PolicyRule rule) =>
        $"\n  {CelText.Comment($"{rule.Place}: {rule.Summary}")}\n  {rule.Condition.Expression}\n    ? {rule.Target.Expression} :";

    /// <summary>The references of a variable, without those that match one of the conditions.</summary>
    public static string Exclude(string source, IReadOnlyList<Exclusion> conditions)
    {
        var expression = new StringBuilder($"variables.{source}.filter(r, !(");
        return expression.AppendJoin(" ||", conditions.Select(TextOf)).Append("))").ToString();
    }

    /// <summary>The references of a variable with the target of the first matching rule, or the one they already have.</summary>
    public static string Decide(string source, IReadOnlyList<PolicyRule> rules, bool isFirst)
    {
        var expression = new StringBuilder(
            $"variables.{source}.map(r, {{'image': r.image, 'text': r.text, 'target':{(isFirst ? "" : " r.target != '' ? r.target :")}"
        );
        foreach (var rule in rules)
            expression.Append(TextOf(rule));
        return expression.Append("\n  ''})").ToString();
    }
}

/// <summary>A condition on references that are left unchanged.</summary>
/// <param name="Key">The configuration key that it is from.</param>
/// <param name="Comment">What it is, for people who read the policy.</param>
/// <param name="Condition">The condition.</param>
internal sealed record Exclusion(string Key, string Comment, CelExpression Condition);
