using System.Globalization;
using System.Net;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using ProxySwapper.AdmissionPolicies;
using ProxySwapper.Configuration;
using ProxySwapper.Registry;
using ProxySwapper.Rules;
using ProxySwapper.Testing.Kubernetes;
using ProxySwapper.Testing.Time;

namespace ProxySwapper.IntegrationTests.AdmissionPolicies;

/// <summary>
/// An API server that runs admission policies, with the webhook and the policies of any number of configurations. The user decides which
/// one applies: <c>webhook-N</c> only gets the webhook with configuration N, <c>policy-N</c> only its policy, and an administrator
/// neither.
/// </summary>
internal sealed partial class PolicyScene : IAsyncDisposable
{
    private const string Admissions = "/apis/admissionregistration.k8s.io/v1";

    /// <summary>A configuration that shows that the API server has picked up all policies applied before it.</summary>
    private const string Probe = "proxyUrl: probe.example";

    private readonly KubeApiServer _server;
    private readonly ReviewServer _webhook;
    private readonly HttpClient _client;
    private int _count;

    private PolicyScene(KubeApiServer server, ReviewServer webhook)
    {
        (_server, _webhook) = (server, webhook);
        _client = server.CreateHttpClient();
    }

    public KubeApiServer Server => _server;

    public static async Task<PolicyScene> StartAsync()
    {
        var scene = new PolicyScene(await StartServerAsync(), await ReviewServer.StartAsync());
        await scene.RegisterWebhookAsync();
        return scene;
    }

    /// <summary>Adds a configuration that a policy can express.</summary>
    /// <returns>Its number.</returns>
    public async Task<int> AddAsync(string configuration)
    {
        var environment = EnvironmentVariables.None;
        var options = ConfigurationReader.ReadText("config.yaml", configuration, environment);
        var compiled = PolicyCompiler.Compile(options, ConfigurationLocations.Of("config.yaml", configuration, environment));
        Assert.That(compiled.Rejections, Is.Empty, configuration);
        var number = _count++;
        var name = $"policy-{number}";
        var objects = new PolicyObjects(name, "v1");
        var policy = objects.PolicyOf(compiled.Policy);
        policy["spec"]!["matchConditions"]!
            .AsArray()
            .Insert(0, new JsonObject { ["name"] = "of-this-test", ["expression"] = $"request.userInfo.username == '{name}'" });
        _webhook.Add($"webhook-{number}", RuleSet.Compile(options));
        await ApplyAsync($"{Admissions}/mutatingadmissionpolicies/{name}", policy);
        await ApplyAsync($"{Admissions}/mutatingadmissionpolicybindings/{name}", objects.Binding(podUpdates: true));
        return number;
    }

    /// <summary>Waits until the API server has picked up the added configurations.</summary>
    public async Task WaitUntilInForceAsync()
    {
        var probe = await AddAsync(Probe);
        var pod = new JsonObject
        {
            ["metadata"] = new JsonObject { ["name"] = "probe" },
            ["spec"] = Container("nginx"),
        };
        foreach (var user in new[] { $"policy-{probe}", $"webhook-{probe}" })
            await TestWait.UntilAsync(
                async () =>
                    (await CreateAsync(user, "default", pod)).Body["spec"]?["containers"]?[0]?["image"]?.ToString()
                    == "probe.example/library/nginx:latest",
                $"the swap of {user}"
            );
    }

    /// <summary>Removes all policies, since each adds a condition to every request.</summary>
    public async Task RemoveAllAsync()
    {
        foreach (var kind in new[] { "mutatingadmissionpolicybindings", "mutatingadmissionpolicies" })
        {
            using var response = await _client.DeleteAsync($"{Admissions}/{kind}");
            response.EnsureSuccessStatusCode();
        }
    }

    public async Task CreateNamespaceAsync(string name)
    {
        using var response = await SendAsync(
            HttpMethod.Post,
            "/api/v1/namespaces",
            null,
            new JsonObject
            {
                ["metadata"] = new JsonObject
                {
                    ["name"] = name,
                    ["labels"] = new JsonObject { ["kubernetes.io/metadata.name"] = name },
                },
            }
        );
        if (response.StatusCode != HttpStatusCode.Conflict)
            response.EnsureSuccessStatusCode();
    }

    /// <summary>Creates a Pod, as a dry run unless no user is given.</summary>
    public Task<(HttpStatusCode Status, JsonNode Body)> CreateAsync(string? user, string @namespace, JsonNode pod) =>
        RespondAsync(HttpMethod.Post, $"/api/v1/namespaces/{@namespace}/pods", user, pod);

    /// <summary>Creates a Pod and stores it.</summary>
    public Task<(HttpStatusCode Status, JsonNode Body)> StoreAsync(string user, string @namespace, JsonNode pod) =>
        RespondAsync(HttpMethod.Post, $"/api/v1/namespaces/{@namespace}/pods", user, pod, isDryRun: false);

    /// <summary>Replaces a Pod, or its ephemeral containers, as a dry run unless no user is given.</summary>
    public Task<(HttpStatusCode Status, JsonNode Body)> ReplaceAsync(
        string? user,
        string @namespace,
        string name,
        string subresource,
        JsonNode pod
    ) => RespondAsync(HttpMethod.Put, $"/api/v1/namespaces/{@namespace}/pods/{name}{subresource}", user, pod);

    public async ValueTask DisposeAsync()
    {
        _client.Dispose();
        await _webhook.DisposeAsync();
        await _server.DisposeAsync();
    }

    /// <summary>The essence of a response, without what differs between calls of the same request.</summary>
    public static string Comparable((HttpStatusCode Status, JsonNode Body) response)
    {
        var body = response.Body.DeepClone();
        // The API server lists several causes in no certain order, and its message repeats them.
        if (body["details"]?["causes"] is JsonArray { Count: > 1 } causes)
        {
            body["details"]!["causes"] = new JsonArray([
                .. causes.Select(cause => cause!.DeepClone()).OrderBy(cause => cause.ToJsonString(), StringComparer.Ordinal),
            ]);
            body.AsObject().Remove("message");
        }
        if (body["metadata"] is JsonObject metadata)
        {
            foreach (var name in new[] { "uid", "creationTimestamp", "managedFields", "resourceVersion", "generation" })
                metadata.Remove(name);
            if (metadata.ContainsKey("generateName"))
                metadata.Remove("name");
        }
        return GeneratedName().Replace(string.Create(CultureInfo.InvariantCulture, $"{(int)response.Status} {body.ToJsonString()}"), "$1");
    }

    public static JsonObject Container(string image) =>
        new() { ["containers"] = new JsonArray(new JsonObject { ["name"] = "a", ["image"] = image }) };

    private async Task<(HttpStatusCode Status, JsonNode Body)> RespondAsync(
        HttpMethod method,
        string path,
        string? user,
        JsonNode pod,
        bool isDryRun = true
    )
    {
        var full = pod.DeepClone().AsObject();
        full["apiVersion"] = "v1";
        full["kind"] = "Pod";
        using var response = await SendAsync(method, user is null || !isDryRun ? path : $"{path}?dryRun=All", user, full);
        return (response.StatusCode, JsonNode.Parse(await response.Content.ReadAsStringAsync())!);
    }

    private async Task<HttpResponseMessage> SendAsync(HttpMethod method, string path, string? user, JsonNode body)
    {
        using var request = new HttpRequestMessage(method, path) { Content = JsonContent.Create(body) };
        if (user is not null)
        {
            request.Headers.Add("Impersonate-User", user);
            request.Headers.Add("Impersonate-Group", "system:masters");
        }
        return await _client.SendAsync(request);
    }

    private async Task ApplyAsync(string path, JsonNode body)
    {
        using var request = new HttpRequestMessage(HttpMethod.Patch, $"{path}?fieldManager=test&force=true")
        {
            Content = new StringContent(body.ToJsonString(), null, "application/apply-patch+yaml"),
        };
        using var response = await _client.SendAsync(request);
        Assert.That(response.IsSuccessStatusCode, Is.True, await response.Content.ReadAsStringAsync());
    }

    private Task RegisterWebhookAsync() =>
        ApplyAsync(
            $"{Admissions}/mutatingwebhookconfigurations/of-tests",
            JsonNode.Parse(
                $$"""
                {"apiVersion":"admissionregistration.k8s.io/v1","kind":"MutatingWebhookConfiguration","metadata":{"name":"of-tests"},
                  "webhooks":[{
                  "name":"swap.proxyswapper.io","admissionReviewVersions":["v1"],"sideEffects":"NoneOnDryRun","failurePolicy":"Fail",
                  "reinvocationPolicy":"IfNeeded","matchPolicy":"Equivalent","timeoutSeconds":30,"namespaceSelector":{},"objectSelector":{},
                  "clientConfig":{"url":"https://localhost:{{_webhook.Port}}/mutate","caBundle":"{{_webhook.AuthorityBase64}}"},
                  "matchConditions":[{"name":"of-this-test","expression":"request.userInfo.username.startsWith('webhook-')"}],
                  "rules":[
                    {"apiGroups":[""],"apiVersions":["v1"],"resources":["pods"],"operations":["CREATE","UPDATE"],"scope":"*"},
                    {"apiGroups":[""],"apiVersions":["v1"],"resources":["pods/ephemeralcontainers"],"operations":["UPDATE"],"scope":"*"}]}]}
                """
            )!
        );

    /// <summary>A server that runs admission policies: of Kubernetes 1.36 or later.</summary>
    private static Task<KubeApiServer> StartServerAsync()
    {
        var modern = Environment.GetEnvironmentVariable("MODERN_KUBEBUILDER_ASSETS");
        return KubeApiServer.HasServer(modern) ? KubeApiServer.StartAsync(modern!) : KubeApiServer.StartAsync();
    }

    /// <summary>The suffix that an API server appends to a generateName of these tests, also in its messages.</summary>
    [GeneratedRegex("(web-)[a-z0-9]{5}(?![a-z0-9])")]
    private static partial Regex GeneratedName();
}
