namespace ProxySwapper.AdmissionPolicies;

/// <summary>A condition on one image, or a text derived from it, with its cost.</summary>
/// <param name="Expression">CEL that reads the reference as <c>r.text</c>.</param>
/// <param name="Cost">The cost of one evaluation for the longest reference, in the units of <see cref="CelCost"/>.</param>
internal readonly record struct CelExpression(string Expression, long Cost)
{
    /// <summary>The conjunction; a condition that is always true is left out.</summary>
    public CelExpression And(CelExpression other) =>
        Expression == "true" ? other
        : other.Expression == "true" ? this
        : new($"{Grouped} && {other.Grouped}", Cost + other.Cost);

    /// <summary>The disjunction.</summary>
    public static CelExpression Any(IReadOnlyList<CelExpression> conditions) =>
        conditions is [var only]
            ? only
            : new(string.Join(" || ", conditions.Select(condition => condition.Expression)), conditions.Sum(condition => condition.Cost));

    private string Grouped => Expression.Contains(" || ", StringComparison.Ordinal) ? $"({Expression})" : Expression;
}
