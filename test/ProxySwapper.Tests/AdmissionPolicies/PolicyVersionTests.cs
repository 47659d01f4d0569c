using System.Text.Json.Nodes;
using ProxySwapper.AdmissionPolicies;

namespace ProxySwapper.Tests.AdmissionPolicies;

/// <summary>
/// A policy has only fields that each version of the API has, the oldest of which is v1alpha1 (Kubernetes 1.32;
/// <see href="https://kubernetes.io/docs/reference/kubernetes-api/policy-resources/"/>): an API server rejects others by server-side apply.
/// </summary>
[TestFixture]
internal sealed class PolicyVersionTests
{
    private static readonly string[] OfResources =
    [
        "matchPolicy",
        "namespaceSelector",
        "namespaceSelector.matchExpressions[]",
        "namespaceSelector.matchExpressions[].key",
        "namespaceSelector.matchExpressions[].operator",
        "namespaceSelector.matchExpressions[].values[]",
        "objectSelector",
        "resourceRules[]",
        "resourceRules[].apiGroups[]",
        "resourceRules[].apiVersions[]",
        "resourceRules[].operations[]",
        "resourceRules[].resources[]",
        "resourceRules[].scope",
    ];

    private static readonly string[] OfPolicy =
    [
        "failurePolicy",
        "reinvocationPolicy",
        "matchConstraints",
        .. OfResources.Select(field => $"matchConstraints.{field}"),
        "matchConditions[]",
        "matchConditions[].name",
        "matchConditions[].expression",
        "variables[]",
        "variables[].name",
        "variables[].expression",
        "mutations[]",
        "mutations[].patchType",
        "mutations[].jsonPatch",
        "mutations[].jsonPatch.expression",
    ];

    private static readonly string[] OfBinding =
    [
        "policyName",
        "matchResources",
        .. OfResources.Select(field => $"matchResources.{field}"),
    ];

    [TestCase("v1")]
    [TestCase("v1beta1")]
    [TestCase("v1alpha1")]
    public void Every_field_is_one_of_the_versions_types(string version)
    {
        var objects = new PolicyObjects("swap", version);
        var policy = PolicyText.Compile("proxyUrl: r.example\nadmissionPolicy: {matchConditions: [{name: a, expression: 'true'}]}").Policy;
        foreach (
            var (written, fields) in new[]
            {
                (objects.PolicyOf(policy), OfPolicy),
                (objects.Binding(podUpdates: false), OfBinding),
                (objects.Binding(podUpdates: true), OfBinding),
            }
        )
        {
            Assert.That((string?)written["apiVersion"], Is.EqualTo($"admissionregistration.k8s.io/{version}"));
            Assert.That(written.Select(field => field.Key), Is.EquivalentTo(new[] { "apiVersion", "kind", "metadata", "spec" }));
            var found = Fields("", written["spec"]!).ToHashSet();
            Assert.That(found.Except(fields), Is.Empty);
            Assert.That(found, Has.Count.GreaterThan(10));
        }
    }

    private static IEnumerable<string> Fields(string path, JsonNode node) =>
        node switch
        {
            JsonObject members => members.SelectMany(member =>
            {
                var name = path.Length > 0 ? $"{path}.{member.Key}" : member.Key;
                return member.Value is JsonArray ? Fields(name, member.Value) : Fields(name, member.Value!).Prepend(name);
            }),
            JsonArray items => items.SelectMany(item => Fields($"{path}[]", item!).Prepend($"{path}[]")),
            _ => [],
        };
}
