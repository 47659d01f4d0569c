namespace ProxySwapper.Configuration;

/// <summary>The section <c>admissionPolicy</c>: images are rewritten by the API server itself instead of the webhook.</summary>
internal sealed record AdmissionPolicyOptions
{
    /// <summary>
    /// The MutatingAdmissionPolicy and binding that <c>serve</c> keeps in step with the rules; null means the webhook rewrites images.
    /// </summary>
    public string? Name { get; init; }

    /// <summary>Extra CEL match conditions, in addition to the policy's own.</summary>
    public IReadOnlyList<MatchConditionOptions> MatchConditions { get; init; } = [];
}

/// <summary>A condition as Kubernetes writes it.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Expression">A CEL expression; the API server validates it.</param>
internal sealed record MatchConditionOptions(string Name, string Expression);
