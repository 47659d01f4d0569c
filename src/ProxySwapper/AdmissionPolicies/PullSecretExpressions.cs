namespace ProxySwapper.AdmissionPolicies;

/// <summary>The Secrets that rules add to Pods: behind the target of an image and a space.</summary>
internal static class PullSecretExpressions
{
    /// <summary>From the decisions to the Secrets to add.</summary>
    /// <param name="decisions">The variable with the targets.</param>
    public static IReadOnlyList<PolicyExpression> Variables(string decisions) =>
        [
            new(
                "secrets",
                "From the image as written to the Secret of its rule.",
                $$"""
                variables.{{decisions}}.filter(r, r.target.contains(' '))
                  .transformMapEntry(_, r, {r.image: r.target.split(' ')[1]})
                """
            ),
            new(
                "wantedSecrets",
                "Those of the images that change. Only a new Pod can be given Secrets.",
                """
                request.operation != 'CREATE' ? [] :
                  variables.changed.filter(p, p.image in variables.secrets).map(p, variables.secrets[p.image])
                """
            ),
            new(
                "addedSecrets",
                "Each once, without those that the Pod has.",
                """
                variables.wantedSecrets.transformList(i, s, variables.wantedSecrets.indexOf(s) == i
                  && !(s in object.spec.?imagePullSecrets.orValue([]).map(own, own.?name.orValue(''))), s)
                """
            ),
        ];

    /// <summary>Their part of the patch.</summary>
    public const string Patch = """

        + (variables.addedSecrets.size() == 0 ? [] :
          (has(object.spec.imagePullSecrets) ? [] : [JSONPatch{op: 'add', path: '/spec/imagePullSecrets', value: [] }])
          + variables.addedSecrets.map(s, JSONPatch{op: 'add', path: '/spec/imagePullSecrets/-', value: {'name': s} }))
        """;
}
