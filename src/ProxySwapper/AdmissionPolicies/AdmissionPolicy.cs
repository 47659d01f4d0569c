namespace ProxySwapper.AdmissionPolicies;

/// <summary>
/// The rules as a MutatingAdmissionPolicy
/// (<see href="https://kubernetes.io/docs/reference/access-authn-authz/mutating-admission-policy/"/>): CEL that the API server evaluates
/// itself. It only calls what the CEL of 1.32 has: API servers from 1.33 on accept that, each what its predecessor had.
/// </summary>
/// <param name="Conditions">The match conditions.</param>
/// <param name="Variables">In order of use; the API server evaluates each lazily and once.</param>
/// <param name="Mutation">The JSON patch.</param>
internal sealed record AdmissionPolicy(
    IReadOnlyList<PolicyExpression> Conditions,
    IReadOnlyList<PolicyExpression> Variables,
    string Mutation
);

/// <summary>A named expression of a policy.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Comment">What it is, for people who read the policy.</param>
/// <param name="Expression">CEL, in one or more lines.</param>
internal sealed record PolicyExpression(string Name, string Comment, string Expression)
{
    /// <summary>As it is written into the policy: with its comment, so that it is visible in the cluster.</summary>
    public string Text { get; } = $"{CelText.Comment(Comment)}\n{Expression}";
}
