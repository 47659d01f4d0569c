namespace ProxySwapper.AdmissionPolicies;

/// <summary>A rule in CEL.</summary>
/// <param name="Key">Its place in the configuration, with the line where that is known.</param>
/// <param name="Summary">What it says.</param>
/// <param name="Condition">Which references it takes, in which namespaces.</param>
/// <param name="Target">The new reference; <see cref="Unchanged"/> where the rule cannot be said and its images are left unchanged.</param>
/// <param name="AtTarget">The references that are where this rule sends them.</param>
internal sealed record PolicyRule(
    string Key,
    string Summary,
    CelExpression Condition,
    CelExpression Target,
    IReadOnlyList<CelExpression> AtTarget
)
{
    /// <summary>A target that is no reference, by which an image is left unchanged and later rules do not see it.</summary>
    public static CelExpression Unchanged { get; } = new("'-'", 1);
}
