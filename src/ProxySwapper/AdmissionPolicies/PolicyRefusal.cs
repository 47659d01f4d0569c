namespace ProxySwapper.AdmissionPolicies;

/// <summary>What a policy cannot say.</summary>
/// <param name="Key">The key in the configuration, for instance <c>rules[2].matchRegex</c>.</param>
/// <param name="Reason">Why, and what to do.</param>
internal sealed record PolicyRefusal(string Key, string Reason);
