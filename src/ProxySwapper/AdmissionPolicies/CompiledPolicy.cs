namespace ProxySwapper.AdmissionPolicies;

/// <summary>A policy, and the parts of the configuration that it lacks.</summary>
internal sealed record CompiledPolicy(AdmissionPolicy Policy, IReadOnlyList<PolicyRejection> Rejections)
{
    /// <summary>Whether the policy works without what was rejected.</summary>
    public bool IsUsable => Rejections.All(rejection => rejection.WithoutIt is not null);
}

/// <summary>A setting that a policy cannot express.</summary>
/// <param name="Key">The key in the configuration, such as <c>rules[2].matchRegex</c>.</param>
/// <param name="Reason">Why, and what to do.</param>
/// <param name="WithoutIt">What a policy does that leaves it out; null if none can leave it out.</param>
internal sealed record PolicyRejection(string Key, string Reason, string? WithoutIt = null);
