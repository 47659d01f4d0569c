using System.Collections.Concurrent;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using ProxySwapper.Testing.Processes;

namespace ProxySwapper.Testing.Clouds;

/// <summary>
/// The ECR API (AWS JSON 1.1) in this process, with repositories in memory: private ECR in one region, and <c>GetAuthorizationToken</c> of
/// public ECR. Every signature is verified. A process is pointed here by <c>AWS_ENDPOINT_URL_ECR</c> and
/// <c>AWS_ENDPOINT_URL_ECR_PUBLIC</c>, and a client in this process by the endpoint of its <c>EcrHost</c>.
/// </summary>
internal sealed class FakeEcr : IAsyncDisposable
{
    private const string PrivateTarget = "AmazonEC2ContainerRegistry_V20150921";
    private const string PublicTarget = "SpencerFrontendService";

    private readonly WebApplication _server;
    private readonly ConcurrentQueue<FakeEcrCall> _calls = new();
    private readonly ConcurrentQueue<string> _rejections = new();
    private readonly ConcurrentDictionary<string, Func<FakeEcrCall, FakeEcrResponse>> _always = new();
    private readonly ConcurrentDictionary<string, ConcurrentQueue<Func<FakeEcrCall, FakeEcrResponse>>> _next = new();
    private readonly ConcurrentDictionary<string, bool> _actions = new(StringComparer.Ordinal);
    private int _issued;

    private FakeEcr(WebApplication server) => _server = server;

    /// <summary>The URL of the API.</summary>
    public Uri Endpoint => new(_server.Urls.Single());

    /// <summary>The region that calls must be signed for.</summary>
    public string Region { get; init; } = "eu-central-1";

    /// <summary>The principals that may call, by access key.</summary>
    public ConcurrentDictionary<string, AwsPrincipal> Principals { get; } = new();

    /// <summary>A principal that may call from the start, with temporary keys.</summary>
    public AwsPrincipal Principal { get; } = new("ASIAOFATEST000000000", "secret-access-key-of-a-test", "session-token-of-a-test");

    /// <summary>The host of the registry of <see cref="Principal"/>'s account.</summary>
    public string Registry => $"{Principal.Account}.dkr.ecr.{Region}.amazonaws.com";

    /// <summary>
    /// The repositories by name: the request that created them, with <c>lifecyclePolicyText</c> and <c>policyText</c> once they are set.
    /// </summary>
    public ConcurrentDictionary<string, JsonObject> Repositories { get; } = new();

    /// <summary>The valid passwords, with the principal that each was issued to.</summary>
    public ConcurrentDictionary<string, AwsPrincipal> Passwords { get; } = new();

    /// <summary>The IAM actions that the principals may perform, such as <c>ecr:PutImage</c>; null (default) for all.</summary>
    public IReadOnlySet<string>? AllowedActions { get; set; }

    /// <summary>The stated lifetime of passwords.</summary>
    public TimeSpan PasswordLifetime { get; set; } = TimeSpan.FromHours(12);

    /// <summary>The clock by which passwords expire.</summary>
    public TimeProvider Time { get; init; } = TimeProvider.System;

    /// <summary>What a response waits for; completed by default.</summary>
    public Task Gate { get; set; } = Task.CompletedTask;

    /// <summary>The correctly signed calls so far, including failed ones.</summary>
    public IReadOnlyList<FakeEcrCall> Calls => [.. _calls];

    /// <summary>The responses to requests with an invalid signature.</summary>
    public IReadOnlyList<string> Rejections => [.. _rejections];

    /// <param name="certificate">For TLS; null for plain HTTP.</param>
    /// <param name="region">The region that calls must be signed for.</param>
    /// <param name="time">The clock by which passwords expire.</param>
    public static async Task<FakeEcr> StartAsync(
        X509Certificate2? certificate = null,
        string region = "eu-central-1",
        TimeProvider? time = null
    )
    {
        var server = LoopbackServer.Build(certificate);
        var ecr = new FakeEcr(server) { Region = region, Time = time ?? TimeProvider.System };
        ecr.Principals[ecr.Principal.AccessKeyId] = ecr.Principal;
        server.Run(ecr.RespondAsync);
        await server.StartAsync();
        return ecr;
    }

    /// <summary>Sets the response to the next call of an operation.</summary>
    public void RespondNext(string operation, Func<FakeEcrCall, FakeEcrResponse> response) =>
        _next.GetOrAdd(operation, _ => new()).Enqueue(response);

    /// <summary>Sets the response to all calls of an operation; null removes it.</summary>
    public void RespondAlways(string operation, Func<FakeEcrCall, FakeEcrResponse>? response)
    {
        if (response is null)
            _always.TryRemove(operation, out _);
        else
            _always[operation] = response;
    }

    /// <summary>The IAM actions that calls and requests to the registry needed so far.</summary>
    public IEnumerable<string> Actions => _actions.Keys;

    /// <summary>Whether a principal may perform an IAM action.</summary>
    public bool Allows(string action)
    {
        _actions[action] = true;
        return AllowedActions?.Contains(action) != false;
    }

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    private async Task RespondAsync(HttpContext context)
    {
        await Gate;
        using var buffer = new MemoryStream();
        await context.Request.Body.CopyToAsync(buffer);
        var response = Respond(context.Request, buffer.ToArray());
        context.Response.StatusCode = response.Status;
        context.Response.ContentType = "application/x-amz-json-1.1";
        await context.Response.WriteAsync(response.Body);
    }

    private FakeEcrResponse Respond(HttpRequest request, byte[] body)
    {
        if (request.Method != "POST" || request.Path != "/" || request.ContentType != "application/x-amz-json-1.1")
            return FakeEcrResponses.Error(404, "UnknownOperationException", "");
        var isPublic = request.Headers["X-Amz-Target"].ToString().StartsWith(PublicTarget, StringComparison.Ordinal);
        if (request.Headers["X-Amz-Target"].ToString().Split('.') is not [PrivateTarget or PublicTarget, var operation])
            return FakeEcrResponses.Error(400, "UnknownOperationException", "");
        var region = isPublic ? "us-east-1" : Region;
        var (principal, code, message) = AwsSignature.Check(
            request,
            body,
            isPublic ? "ecr-public" : "ecr",
            region,
            Principals.GetValueOrDefault,
            TimeProvider.System
        );
        if (principal is null)
        {
            _rejections.Enqueue(code);
            return FakeEcrResponses.Error(403, code, message);
        }
        var call = new FakeEcrCall(operation, region, principal, JsonNode.Parse(body)!.AsObject());
        _calls.Enqueue(call);
        if (ActionsOf(call, isPublic).FirstOrDefault(action => !Allows(action)) is { } missing)
            return FakeEcrResponses.AccessDenied(call, missing);
        if (_next.TryGetValue(operation, out var next) && next.TryDequeue(out var once))
            return once(call);
        if (_always.TryGetValue(operation, out var always))
            return always(call);
        return operation switch
        {
            "GetAuthorizationToken" => Token(call, isPublic),
            _ when isPublic => FakeEcrResponses.Error(400, "UnknownOperationException", ""),
            _ when (string?)call.Body["registryId"] is { } registry && registry != principal.Account => FakeEcrResponses.AccessDenied(call),
            "CreateRepository" => Create(call),
            "ListTagsForResource" => ListTags(call),
            "DescribeRepositories" or "PutLifecyclePolicy" or "SetRepositoryPolicy" when !Repositories.ContainsKey(call.Repository!) =>
                FakeEcrResponses.RepositoryNotFound(call),
            "DescribeRepositories" => new FakeEcrResponse(
                200,
                new JsonObject { ["repositories"] = new JsonArray(Describe(call)) }.ToJsonString()
            ),
            "PutLifecyclePolicy" => Set(call, "lifecyclePolicyText"),
            "SetRepositoryPolicy" => Set(call, "policyText"),
            _ => FakeEcrResponses.Error(400, "UnknownOperationException", ""),
        };
    }

    /// <summary>
    /// The IAM actions of a call
    /// (<see href="https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonelasticcontainerregistry.html"/>).
    /// </summary>
    private static IEnumerable<string> ActionsOf(FakeEcrCall call, bool isPublic)
    {
        yield return $"{(isPublic ? "ecr-public" : "ecr")}:{call.Operation}";
        if (call is { Operation: "CreateRepository", Body: var body } && body["tags"] is JsonArray { Count: > 0 })
            yield return "ecr:TagResource";
    }

    private FakeEcrResponse Token(FakeEcrCall call, bool isPublic)
    {
        var password = $"ecr-password-{Interlocked.Increment(ref _issued)}-of-{call.Principal.Account}";
        Passwords[password] = call.Principal;
        var data = new JsonObject
        {
            ["authorizationToken"] = Convert.ToBase64String(Encoding.UTF8.GetBytes($"AWS:{password}")),
            ["expiresAt"] = (Time.GetUtcNow() + PasswordLifetime).ToUnixTimeMilliseconds() / 1000.0,
        };
        if (!isPublic)
            data["proxyEndpoint"] = $"https://{call.Principal.Account}.dkr.ecr.{Region}.amazonaws.com";
        return new FakeEcrResponse(200, new JsonObject { ["authorizationData"] = isPublic ? data : new JsonArray(data) }.ToJsonString());
    }

    private FakeEcrResponse Create(FakeEcrCall call) =>
        Repositories.TryAdd(call.Repository!, (JsonObject)call.Body.DeepClone())
            ? new FakeEcrResponse(200, new JsonObject { ["repository"] = Describe(call) }.ToJsonString())
            : FakeEcrResponses.RepositoryAlreadyExists(call);

    private FakeEcrResponse ListTags(FakeEcrCall call)
    {
        var arn = (string)call.Body["resourceArn"]!;
        var name = arn[(arn.IndexOf(":repository/", StringComparison.Ordinal) + ":repository/".Length)..];
        return Repositories.TryGetValue(name, out var repository)
            ? new FakeEcrResponse(200, new JsonObject { ["tags"] = repository["tags"]?.DeepClone() ?? new JsonArray() }.ToJsonString())
            : FakeEcrResponses.RepositoryNotFound(call);
    }

    private FakeEcrResponse Set(FakeEcrCall call, string key)
    {
        Repositories[call.Repository!][key] = (string?)call.Body[key];
        return new FakeEcrResponse(
            200,
            new JsonObject
            {
                ["registryId"] = call.Principal.Account,
                ["repositoryName"] = call.Repository,
                [key] = (string?)call.Body[key],
            }.ToJsonString()
        );
    }

    private JsonObject Describe(FakeEcrCall call) =>
        new()
        {
            ["repositoryArn"] = call.ArnOf(call.Repository!),
            ["registryId"] = call.Principal.Account,
            ["repositoryName"] = call.Repository,
            ["repositoryUri"] = $"{call.Principal.Account}.dkr.ecr.{Region}.amazonaws.com/{call.Repository}",
            ["createdAt"] = Time.GetUtcNow().ToUnixTimeMilliseconds() / 1000.0,
            ["imageTagMutability"] = (string?)Repositories[call.Repository!]["imageTagMutability"] ?? "MUTABLE",
            ["encryptionConfiguration"] = Repositories[call.Repository!]["encryptionConfiguration"]?.DeepClone(),
        };
}
