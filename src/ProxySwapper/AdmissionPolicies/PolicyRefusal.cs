namespace ProxySwapper.AdmissionPolicies;

/// <summary>A setting that a policy cannot express.</summary>
/// <param name="Key">The key in the configuration, such as <c>rules[2].matchRegex</c>.</param>
/// <param name="Reason">Why, and what to do.</param>
internal sealed record PolicyRefusal(string Key, string Reason);
