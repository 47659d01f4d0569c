namespace ProxySwapper.AdmissionPolicies;

/// <summary>A rule in CEL.</summary>
/// <param name="Key">Its key in the configuration, with the line if known.</param>
/// <param name="Summary">A short description.</param>
/// <param name="Condition">Which references it matches, in which namespaces.</param>
/// <param name="Target">The new reference; <see cref="Unchanged"/> if the rule cannot be expressed and its images are left
/// unchanged.</param>
/// <param name="AtTarget">Matches references already at this rule's target.</param>
internal sealed record PolicyRule(
    string Key,
    string Summary,
    CelExpression Condition,
    CelExpression Target,
    IReadOnlyList<CelExpression> AtTarget
)
{
    /// <summary>Not a reference: marks an image to be left unchanged and hides it from later rules.</summary>
    public static CelExpression Unchanged { get; } = new("'-'", 1);

    public bool CanRewrite => Target != Unchanged;

    /// <summary>The same, with a Secret behind the target and a space.</summary>
    public PolicyRule WithPullSecret(string secret) =>
        this with
        {
            Target = new($"{Target.Expression} + {CelText.Quote($" {secret}")}", Target.Cost + CelCost.OfText(secret)),
        };
}
