using System.Text;

namespace ProxySwapper.AdmissionPolicies;

/// <summary>Splits the rules over variables, so that none costs more than the API server allows.</summary>
internal static class RuleChunks
{
    /// <summary>Splits items into chunks whose cost fits into one variable each; an item too large to fit has its own chunk.</summary>
    public static IEnumerable<IReadOnlyList<T>> Cut<T>(IEnumerable<T> items, Func<T, long> costOf)
    {
        var chunk = new List<T>();
        var cost = 0L;
        foreach (var item in items)
        {
            if (
                chunk.Count > 0
                && (chunk.Count == CelCost.MaximumRulesOfVariable || CelCost.OfVariable([cost, costOf(item)]) > CelCost.MaximumOfVariable)
            )
            {
                yield return chunk;
                (chunk, cost) = ([], 0);
            }
            chunk.Add(item);
            cost += costOf(item);
        }
        if (chunk.Count > 0)
            yield return chunk;
    }

    /// <summary>The references of a variable, without those that match one of the conditions.</summary>
    public static string Exclude(string source, IReadOnlyList<(string Comment, CelExpression Condition)> conditions)
    {
        var expression = new StringBuilder($"variables.{source}.filter(r, !(");
        foreach (var (index, (comment, condition)) in conditions.Index())
            expression.Append($"\n  {CelText.Comment(comment)}\n  {(index == 0 ? "" : "|| ")}{condition.Expression}");
        return expression.Append("))").ToString();
    }

    /// <summary>The references of a variable with the target of the first matching rule, or the one they already have.</summary>
    public static string Decide(string source, IReadOnlyList<PolicyRule> rules, bool isFirst)
    {
        var expression = new StringBuilder(
            $"variables.{source}.map(r, {{'image': r.image, 'text': r.text, 'target':{(isFirst ? "" : " r.target != '' ? r.target :")}"
        );
        foreach (var rule in rules)
            expression.Append(
                $"\n  {CelText.Comment($"{rule.Key}: {rule.Summary}")}\n  {rule.Condition.Expression}\n    ? {rule.Target.Expression} :"
            );
        return expression.Append("\n  ''})").ToString();
    }
}
