using System.Text;
using System.Text.Json.Nodes;
using ProxySwapper.Testing.Processes;

namespace ProxySwapper.Testing.Kubernetes;

/// <summary>The webhook configuration by which an API server calls a process on this machine.</summary>
internal static class WebhookConfiguration
{
    /// <summary>A MutatingWebhookConfiguration for Pods.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="process">The process to call.</param>
    /// <param name="namespace">The namespace whose Pods it is called for; null for all.</param>
    /// <param name="operations">Such as <c>CREATE</c>.</param>
    public static JsonObject ForPods(string name, ProxySwapperProcess process, string? @namespace, params string[] operations) =>
        new()
        {
            ["apiVersion"] = "admissionregistration.k8s.io/v1",
            ["kind"] = "MutatingWebhookConfiguration",
            ["metadata"] = new JsonObject { ["name"] = name },
            ["webhooks"] = new JsonArray(
                new JsonObject
                {
                    ["name"] = "swap.proxyswapper.io",
                    ["admissionReviewVersions"] = new JsonArray("v1"),
                    ["sideEffects"] = "NoneOnDryRun",
                    ["failurePolicy"] = "Ignore",
                    ["matchPolicy"] = "Equivalent",
                    ["reinvocationPolicy"] = "IfNeeded",
                    ["timeoutSeconds"] = 10,
                    ["matchConditions"] = new JsonArray(),
                    ["objectSelector"] = new JsonObject(),
                    ["namespaceSelector"] = @namespace is null ? new JsonObject() : SelectorOf(@namespace),
                    ["clientConfig"] = new JsonObject
                    {
                        ["url"] = $"https://localhost:{process.Port}/mutate",
                        ["caBundle"] = Convert.ToBase64String(Encoding.UTF8.GetBytes(process.Certificates.AuthorityPem)),
                    },
                    ["rules"] = new JsonArray(
                        new JsonObject
                        {
                            ["apiGroups"] = new JsonArray(""),
                            ["apiVersions"] = new JsonArray("v1"),
                            ["resources"] = new JsonArray("pods"),
                            ["scope"] = "*",
                            ["operations"] = new JsonArray([.. operations.Select(operation => (JsonNode)operation)]),
                        }
                    ),
                }
            ),
        };

    /// <summary>A selector of one namespace, by the label that every namespace has.</summary>
    public static JsonObject SelectorOf(string @namespace) =>
        new() { ["matchLabels"] = new JsonObject { ["kubernetes.io/metadata.name"] = @namespace } };
}
