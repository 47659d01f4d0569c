namespace ProxySwapper.AdmissionPolicies;

/// <summary>A rule in CEL.</summary>
/// <param name="Key">Its key in the configuration, such as <c>rules[2]</c>.</param>
/// <param name="Line">The line of its value, counted from 1, if known.</param>
/// <param name="Summary">A short description.</param>
/// <param name="Condition">Which references it matches, in which namespaces; <see cref="Never"/> if that cannot be expressed.</param>
/// <param name="Target">The new reference; <see cref="Unchanged"/> if the rule cannot be expressed and its images are left
/// unchanged.</param>
/// <param name="AtTarget">Matches references already at this rule's target.</param>
internal sealed record PolicyRule(
    string Key,
    int? Line,
    string Summary,
    CelExpression Condition,
    CelExpression Target,
    IReadOnlyList<CelExpression> AtTarget
)
{
    /// <summary>Not a reference: marks an image to be left unchanged and hides it from later rules.</summary>
    public static CelExpression Unchanged { get; } = new("'-'", 1);

    /// <summary>The condition of a rule that is left out: later rules decide about its images.</summary>
    public static CelExpression Never { get; } = new("false", 1);

    public bool CanRewrite => Target != Unchanged;

    /// <summary>Its key, with the line if known.</summary>
    public string Place => Line is { } line ? $"{Key} (line {line})" : Key;

    /// <summary>The same, with a Secret behind the target and a space.</summary>
    public PolicyRule WithPullSecret(string secret) =>
        this with
        {
            Target = new($"{Target.Expression} + {CelText.Quote($" {secret}")}", Target.Cost + CelCost.OfText(secret)),
        };
}
