namespace ProxySwapper.Configuration;

/// <summary>The section <c>admissionPolicy</c>: the swap by the API server itself, in place of the webhook.</summary>
internal sealed record AdmissionPolicyOptions
{
    /// <summary>
    /// The MutatingAdmissionPolicy that <c>serve</c> keeps current from the rules, and its binding; null leaves the swap to the webhook.
    /// </summary>
    public string? Name { get; init; }

    /// <summary>Conditions in CEL that must hold besides the policy's own.</summary>
    public IReadOnlyList<MatchConditionOptions> MatchConditions { get; init; } = [];
}

/// <summary>A condition as Kubernetes writes it.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Expression">CEL; the API server checks it.</param>
internal sealed record MatchConditionOptions(string Name, string Expression);
