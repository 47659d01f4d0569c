using System.Text.Json.Nodes;

namespace ProxySwapper.AdmissionPolicies;

/// <summary>The API objects of a policy.</summary>
/// <param name="name">The name of both.</param>
/// <param name="apiVersion"><c>v1</c>, <c>v1beta1</c> or <c>v1alpha1</c>.</param>
internal sealed class PolicyObjects(string name, string apiVersion)
{
    /// <summary>
    /// The policy. It matches everything in which images can change; the binding narrows it down. Defaults that an API server would fill in
    /// are written out, so that what is read equals what was applied.
    /// </summary>
    public JsonObject PolicyOf(AdmissionPolicy policy) =>
        new()
        {
            ["apiVersion"] = ApiVersion,
            ["kind"] = "MutatingAdmissionPolicy",
            ["metadata"] = Metadata(),
            ["spec"] = new JsonObject
            {
                ["failurePolicy"] = "Ignore",
                ["reinvocationPolicy"] = "IfNeeded",
                ["matchConstraints"] = Resources(new JsonObject(), podUpdates: true),
                ["matchConditions"] = ArrayOf(policy.Conditions),
                ["variables"] = ArrayOf(policy.Variables),
                ["mutations"] = new JsonArray(
                    new JsonObject
                    {
                        ["patchType"] = "JSONPatch",
                        ["jsonPatch"] = new JsonObject { ["expression"] = policy.Mutation },
                    }
                ),
            },
        };

    /// <summary>The binding that puts the policy in force: everywhere but in kube-system and in namespaces that opted out.</summary>
    /// <param name="podUpdates">Whether updates of a Pod match, besides its creation and its ephemeral containers.</param>
    public JsonObject Binding(bool podUpdates) =>
        new()
        {
            ["apiVersion"] = ApiVersion,
            ["kind"] = "MutatingAdmissionPolicyBinding",
            ["metadata"] = Metadata(),
            ["spec"] = new JsonObject
            {
                ["policyName"] = name,
                ["matchResources"] = Resources(
                    new JsonObject
                    {
                        ["matchExpressions"] = new JsonArray(
                            NotIn("kubernetes.io/metadata.name", "kube-system"),
                            NotIn("proxyswapper.io/ignore", "true")
                        ),
                    },
                    podUpdates
                ),
            },
        };

    private string ApiVersion => $"admissionregistration.k8s.io/{apiVersion}";

    private JsonObject Metadata() =>
        new()
        {
            ["name"] = name,
            ["labels"] = new JsonObject { ["app.kubernetes.io/managed-by"] = "proxyswapper" },
        };

    private static JsonObject Resources(JsonObject namespaceSelector, bool podUpdates) =>
        new()
        {
            ["matchPolicy"] = "Equivalent",
            ["namespaceSelector"] = namespaceSelector,
            ["objectSelector"] = new JsonObject(),
            ["resourceRules"] = new JsonArray(
                ResourceRule("pods", podUpdates ? ["CREATE", "UPDATE"] : ["CREATE"]),
                ResourceRule("pods/ephemeralcontainers", ["UPDATE"])
            ),
        };

    private static JsonObject ResourceRule(string resource, params string[] operations) =>
        new()
        {
            ["apiGroups"] = new JsonArray(""),
            ["apiVersions"] = new JsonArray("v1"),
            ["operations"] = new JsonArray([.. operations.Select(operation => (JsonNode)operation)]),
            ["resources"] = new JsonArray(resource),
            ["scope"] = "*",
        };

    private static JsonObject NotIn(string label, string value) =>
        new()
        {
            ["key"] = label,
            ["operator"] = "NotIn",
            ["values"] = new JsonArray(value),
        };

    private static JsonArray ArrayOf(IEnumerable<PolicyExpression> expressions) =>
        new([.. expressions.Select(item => (JsonNode)new JsonObject { ["name"] = item.Name, ["expression"] = item.Text })]);
}
