namespace ProxySwapper.AdmissionPolicies;

/// <summary>
/// The rules as a MutatingAdmissionPolicy
/// (<see href="https://kubernetes.io/docs/reference/access-authn-authz/mutating-admission-policy/"/>): CEL that the API server runs itself.
/// </summary>
/// <param name="Conditions">What must hold before anything else is looked at.</param>
/// <param name="Variables">In the order in which they use each other; the API server computes each once, when it is needed.</param>
/// <param name="Mutation">The JSON patch.</param>
internal sealed record AdmissionPolicy(
    IReadOnlyList<PolicyExpression> Conditions,
    IReadOnlyList<PolicyExpression> Variables,
    string Mutation
);

/// <summary>A named expression of a policy.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Comment">What it is, for readers.</param>
/// <param name="Expression">CEL, in one or more lines.</param>
internal sealed record PolicyExpression(string Name, string Comment, string Expression);
