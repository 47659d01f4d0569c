using System.Globalization;
using ProxySwapper.Admission;
using ProxySwapper.Configuration;

namespace ProxySwapper.AdmissionPolicies;

/// <summary>Which Pods a policy applies to, and the patch.</summary>
internal static class PodExpressions
{
    /// <summary>The API server's limit on the total size of annotations.</summary>
    private const int MaximumAnnotationsSize = 256 * 1024;

    /// <summary>The longest prefix of our annotation keys, counted for each.</summary>
    private static readonly int KeySize = PodImageFields.OfSpec.Max(field => field.AnnotationPrefix.Length);

    /// <summary>
    /// The size of a Pod as text up to which it is rewritten: etcd stores 1.5 MiB, in a format that is shorter than text. The API server
    /// drops <c>managedFields</c> before it fails a request for its size, so that they do not count.
    /// </summary>
    private const int MaximumSize = 1_500_000;

    /// <summary>How many annotations are measured: the cost of each counts, and more would exceed the limit of an expression.</summary>
    private const int MaximumAnnotations = 20_000;

    private const string IgnoredNamespaces = "not-in-an-ignored-namespace";

    /// <summary>From the targets to the patch.</summary>
    public static IReadOnlyList<PolicyExpression> Changes { get; } =
    [
        new("rewritable", "The fields whose images have a target.", "variables.places.filter(p, p.image in variables.targets)"),
        new(
            "size",
            "The size of the Pod with these as text: an estimate of what etcd has to store.",
            """
            bytes('%s%s%s%s%s%s'.format([object.spec, object.?status.orValue({}), object.metadata.?labels.orValue({}),
                object.metadata.?annotations.orValue({}), object.metadata.?ownerReferences.orValue([]),
                object.metadata.?finalizers.orValue([])])).size()
              + variables.rewritable.map(p, variables.targets[p.image].size()).sum()
            """
        ),
        new(
            "changed",
            "The fields whose images change. A Pod that etcd might not store is left unchanged.",
            $"variables.rewritable.size() == 0 || variables.size > {Number(MaximumSize)} ? [] : variables.rewritable"
        ),
        new(
            "originals",
            "Fields whose original image is stored in an annotation: the name must fit into its key.",
            "variables.changed.filter(p, p.name.matches('^[A-Za-z0-9](?:[A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?$'))"
        ),
        new(
            "originalsSize",
            "The size of these annotations.",
            $"variables.changed.map(p, {Number(KeySize)} + bytes(p.name).size() + bytes(p.image).size()).sum()"
        ),
        new(
            "originalsFit",
            "Whether the API server accepts that many annotations, and etcd stores them.",
            $$"""
            object.metadata.?annotations.orValue({}).size() <= {{Number(MaximumAnnotations)}}
              && object.metadata.?annotations.orValue({}).map(k, bytes(k).size() + bytes(object.metadata.annotations[k]).size()).sum()
                + variables.originalsSize <= {{Number(MaximumAnnotationsSize)}}
              && variables.size + 2 * variables.originalsSize <= {{Number(MaximumSize)}}
            """
        ),
    ];

    /// <summary>The match conditions.</summary>
    public static IReadOnlyList<PolicyExpression> Conditions(ProxySwapperOptions options)
    {
        List<PolicyExpression> conditions =
        [
            new(
                "not-opted-out",
                "Pods opt out by this label.",
                $"object.metadata.?labels[?'{WellKnownLabels.OptOutLabel}'].orValue('') != 'true'"
            ),
            new(
                "not-a-mirror-pod",
                "Static Pods belong to kubelet.",
                $"!('{WellKnownLabels.MirrorAnnotation}' in object.metadata.?annotations.orValue({{}}))"
            ),
            new(
                "not-released",
                "A Pod that is being released from its gate, or was released with its original images, keeps them.",
                $$"""
                request.operation != 'UPDATE' || request.?subResource.orValue('') != ''
                  || !('{{GateLabels.LeftOriginal}}' in object.metadata.?annotations.orValue({})
                    || {{HasGate("oldObject")}} && !{{HasGate("object")}})
                """
            ),
        ];
        if (options.IgnoreNamespaces.Count > 0)
        {
            var ignored = PatternExpressions.OfNamespaces(options.IgnoreNamespaces).Expression;
            conditions.Add(new(IgnoredNamespaces, "ignoreNamespaces.", $"!({ignored})"));
        }
        if (options.IgnoreOwners.Count > 0)
            conditions.Add(
                new(
                    "not-of-an-ignored-owner",
                    "ignoreOwners: operators that compare the images of their Pods.",
                    NotOwnedBy(options.IgnoreOwners)
                )
            );
        return conditions;
    }

    /// <summary>The configuration key of a condition whose length depends on one.</summary>
    public static string KeyOf(PolicyExpression condition) => condition.Name == IgnoredNamespaces ? "ignoreNamespaces" : "ignoreOwners";

    private static string HasGate(string pod) => $"{pod}.spec.?schedulingGates.orValue([]).exists(g, g.name == '{GateLabels.Gate}')";

    /// <summary>The Pod's controller is not one of these, <c>group/Kind</c>.</summary>
    private static string NotOwnedBy(IReadOnlyList<string> owners) =>
        $"""
            !object.metadata.?ownerReferences.orValue([]).filter(o, o.?controller.orValue(false))
              .map(o, (o.apiVersion.contains('/') ? o.apiVersion.split('/')[0] : '') + '/' + o.kind)
              .exists(o, {PatternExpressions.OfOwners("o", owners)})
            """;

    /// <summary>The patch: one expression, so that it applies as a whole or not at all.</summary>
    public static string Mutation(PatchLabelOptions label, bool hasPullSecrets)
    {
        var secrets = hasPullSecrets ? PullSecretExpressions.Patch : "";
        var (path, value) = (CelText.Quote($"/metadata/labels/{PodImageExpressions.Token(label.Key)}"), CelText.Quote(label.Value));
        return $$"""
            variables.changed.map(p, JSONPatch{op: 'replace', path: p.path, value: variables.targets[p.image]}){{secrets}}
            + (variables.ephemeral || variables.changed.size() == 0 ? [] :
              (has(object.metadata.labels) ? [] : [JSONPatch{op: 'add', path: '/metadata/labels', value: {} }])
              + [JSONPatch{op: 'add', path: {{path}}, value: {{value}}}]
              + (!variables.originalsFit || variables.originals.size() == 0 ? [] :
                (has(object.metadata.annotations) ? [] : [JSONPatch{op: 'add', path: '/metadata/annotations', value: {} }])
                + variables.originals.map(p, JSONPatch{op: 'add', path: p.key + p.name, value: p.image})))
            """;
    }

    private static string Number(int number) => number.ToString(CultureInfo.InvariantCulture);
}
