using System.Net.Http.Headers;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json.Nodes;

namespace ProxySwapper.Kubernetes.InMemory;

/// <summary>
/// Calls the stored mutating webhooks for a Pod. Their rules are matched by resource and operation; selectors and match conditions are
/// ignored.
/// </summary>
internal sealed class WebhookCaller(ObjectStore store)
{
    private static readonly Selection Webhooks = new(
        new ApiPath("admissionregistration.k8s.io/v1", "mutatingwebhookconfigurations", null, null, ""),
        "",
        ""
    );

    /// <returns>The Pod after the webhooks.</returns>
    public async Task<JsonObject> CallAsync(
        ApiPath path,
        string user,
        JsonObject pod,
        JsonObject? old,
        bool isDryRun,
        CancellationToken cancellationToken
    )
    {
        var operation = old is null ? "CREATE" : "UPDATE";
        foreach (var configuration in store.List(Webhooks).Objects)
        foreach (var webhook in configuration["webhooks"] as JsonArray ?? [])
        {
            if (!IsFor(webhook!, operation))
                continue;
            var review = Review(path, user, operation, pod, old, isDryRun);
            try
            {
                var response = await PostAsync(webhook!["clientConfig"]!, review, cancellationToken);
                if ((bool?)response["allowed"] != true)
                    throw new ApiException(
                        StatusCodes.Status403Forbidden,
                        "Forbidden",
                        $"admission webhook \"{webhook["name"]}\" denied the request: {response["status"]?["message"]}"
                    );
                if ((string?)response["patch"] is { } patch)
                    pod = JsonPatch.Apply(pod, JsonNode.Parse(Convert.FromBase64String(patch))!.AsArray());
            }
            catch (Exception problem)
                when (problem is HttpRequestException or TaskCanceledException && (string?)webhook!["failurePolicy"] == "Ignore")
            {
                // The Pod is created unchanged.
            }
        }
        return pod;
    }

    private static bool IsFor(JsonNode webhook, string operation) =>
        (webhook["rules"] as JsonArray ?? []).Any(rule => Has(rule!["resources"], "pods", "*") && Has(rule["operations"], operation, "*"));

    private static bool Has(JsonNode? list, params string[] any) =>
        (list as JsonArray ?? []).Any(item => any.Contains((string?)item, StringComparer.Ordinal));

    private static JsonObject Review(ApiPath path, string user, string operation, JsonObject pod, JsonObject? old, bool isDryRun) =>
        new()
        {
            ["kind"] = "AdmissionReview",
            ["apiVersion"] = "admission.k8s.io/v1",
            ["request"] = new JsonObject
            {
                ["uid"] = Guid.NewGuid().ToString(),
                ["kind"] = new JsonObject
                {
                    ["group"] = "",
                    ["version"] = "v1",
                    ["kind"] = "Pod",
                },
                ["resource"] = new JsonObject
                {
                    ["group"] = "",
                    ["version"] = "v1",
                    ["resource"] = "pods",
                },
                ["name"] = path.Name,
                ["namespace"] = path.Namespace,
                ["operation"] = operation,
                ["userInfo"] = new JsonObject { ["username"] = user },
                ["object"] = pod.DeepClone(),
                ["oldObject"] = old?.DeepClone(),
                ["dryRun"] = isDryRun,
            },
        };

    private static async Task<JsonNode> PostAsync(JsonNode configuration, JsonObject review, CancellationToken cancellationToken)
    {
        using var handler = new SocketsHttpHandler();
        if ((string?)configuration["caBundle"] is { } bundle)
        {
            var policy = new X509ChainPolicy
            {
                TrustMode = X509ChainTrustMode.CustomRootTrust,
                RevocationMode = X509RevocationMode.NoCheck,
            };
            policy.CustomTrustStore.ImportFromPem(Encoding.UTF8.GetString(Convert.FromBase64String(bundle)));
            handler.SslOptions.CertificateChainPolicy = policy;
        }
        using var client = new HttpClient(handler) { Timeout = TimeSpan.FromSeconds(10) };
        using var content = new StringContent(review.ToJsonString(), Encoding.UTF8, MediaTypeHeaderValue.Parse("application/json"));
        using var response = await client.PostAsync(new Uri((string)configuration["url"]!), content, cancellationToken);
        var text = await response.EnsureSuccessStatusCode().Content.ReadAsStringAsync(cancellationToken);
        return JsonNode.Parse(text)!["response"]!;
    }
}
