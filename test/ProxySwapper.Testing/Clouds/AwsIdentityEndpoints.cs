using System.Collections.Concurrent;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.WebUtilities;
using ProxySwapper.Testing.Processes;

namespace ProxySwapper.Testing.Clouds;

/// <summary>
/// The sources of temporary keys at AWS, all on one port: the Security Token Service for IAM Roles for Service Accounts
/// (<see href="https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoleWithWebIdentity.html"/>) and for roles that another
/// identity assumes (<see href="https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html"/>), the agent of EKS Pod Identity
/// (<see href="https://docs.aws.amazon.com/sdkref/latest/guide/feature-container-credentials.html"/>), and version 2 of an instance's
/// metadata (<see href="https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/instancedata-data-retrieval.html"/>). The keys are those of a
/// principal of <see cref="FakeEcr"/>.
/// </summary>
internal sealed class AwsIdentityEndpoints : IAsyncDisposable
{
    public const string Role = "arn:aws:iam::123456789012:role/of-a-test";
    public const string Region = "eu-central-1";
    public const string ServiceAccountToken = "service-account-token-of-a-test";
    public const string PodToken = "pod-identity-token-of-a-test";
    private const string MetadataToken = "metadata-token-of-a-test";
    private const string InstanceRole = "node-role-of-a-test";

    private readonly WebApplication _server;
    private readonly AwsPrincipal _principal;
    private readonly ConcurrentQueue<string> _given = new();

    private AwsIdentityEndpoints(WebApplication server, AwsPrincipal principal) =>
        (_server, _principal, Holder) = (server, principal, principal);

    public string Address => _server.Urls.Single();

    /// <summary>Who may assume <see cref="Role"/>, and nothing else.</summary>
    public static AwsPrincipal Caller { get; } = new("ASIAOFACALLER0000000", "secret-access-key-of-a-caller", "session-token-of-a-caller");

    /// <summary>The principal of the Pod and the instance; by default that of the role.</summary>
    public AwsPrincipal Holder { get; set; }

    /// <summary>An instance without a role has no keys.</summary>
    public bool InstanceHasRole { get; set; } = true;

    /// <summary>Which of them issued keys, in order: sts, pod or instance.</summary>
    public IReadOnlyList<string> Given => [.. _given];

    public static async Task<AwsIdentityEndpoints> StartAsync(AwsPrincipal principal)
    {
        var server = LoopbackServer.Build();
        var endpoints = new AwsIdentityEndpoints(server, principal);
        server.Run(endpoints.RespondAsync);
        await server.StartAsync();
        return endpoints;
    }

    public void Forget() => _given.Clear();

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    private async Task RespondAsync(HttpContext context)
    {
        var (status, body) = (context.Request.Method, context.Request.Path.Value) switch
        {
            ("POST", "/") => await AssumeRoleAsync(context.Request),
            ("GET", "/v1/credentials") => context.Request.Headers.Authorization == PodToken ? (200, Keys("pod")) : (401, "unauthorized"),
            ("PUT", "/latest/api/token") => context.Request.Headers.ContainsKey("X-aws-ec2-metadata-token-ttl-seconds")
                ? (200, MetadataToken)
                : (400, ""),
            ("GET", _) when context.Request.Headers["X-aws-ec2-metadata-token"] != MetadataToken => (401, ""),
            ("GET", "/latest/meta-data/iam/security-credentials" or "/latest/meta-data/iam/security-credentials/") when InstanceHasRole => (
                200,
                InstanceRole
            ),
            ("GET", $"/latest/meta-data/iam/security-credentials/{InstanceRole}") when InstanceHasRole => (200, Keys("instance")),
            _ => (404, ""),
        };
        context.Response.StatusCode = status;
        context.Response.ContentType =
            body.StartsWith('<') ? "text/xml"
            : body.StartsWith('{') ? "application/json"
            : "text/plain";
        // Version 2 returns the lifetime of its token.
        if (context.Request.Method == "PUT")
            context.Response.Headers["X-aws-ec2-metadata-token-ttl-seconds"] = "21600";
        await context.Response.WriteAsync(body);
    }

    private async Task<(int Status, string Body)> AssumeRoleAsync(HttpRequest request)
    {
        using var buffer = new MemoryStream();
        await request.Body.CopyToAsync(buffer);
        var body = buffer.ToArray();
        var form = QueryHelpers.ParseQuery(Encoding.UTF8.GetString(body));
        if (form["RoleArn"] != Role)
            return (400, Error("ValidationError", "it is not what a test expects"));
        switch (form["Action"].ToString())
        {
            case "AssumeRoleWithWebIdentity":
                return form["WebIdentityToken"] == ServiceAccountToken
                    ? (200, Assumed("AssumeRoleWithWebIdentity"))
                    : (400, Error("InvalidIdentityToken", "No OpenIDConnect provider found in your account"));
            case "AssumeRole":
                var (caller, code, message) = AwsSignature.Check(
                    request,
                    body,
                    "sts",
                    Region,
                    key => key == Caller.AccessKeyId ? Caller : null,
                    TimeProvider.System
                );
                return caller is null ? (403, Error(code, message)) : (200, Assumed("AssumeRole"));
            default:
                return (400, Error("InvalidAction", "Could not find operation"));
        }
    }

    private string Assumed(string action)
    {
        _given.Enqueue("sts");
        return $"""
            <{action}Response xmlns="https://sts.amazonaws.com/doc/2011-06-15/">
              <{action}Result>
                <AssumedRoleUser><Arn>{_principal.Arn}</Arn><AssumedRoleId>AROAOFATEST:session</AssumedRoleId></AssumedRoleUser>
                <Credentials>
                  <AccessKeyId>{_principal.AccessKeyId}</AccessKeyId>
                  <SecretAccessKey>{_principal.SecretAccessKey}</SecretAccessKey>
                  <SessionToken>{_principal.SessionToken}</SessionToken>
                  <Expiration>{End}</Expiration>
                </Credentials>
              </{action}Result>
              <ResponseMetadata><RequestId>of-a-test</RequestId></ResponseMetadata>
            </{action}Response>
            """;
    }

    private static string Error(string code, string message) =>
        $"""<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">"""
        + $"""<Error><Type>Sender</Type><Code>{code}</Code><Message>{message}</Message></Error>"""
        + """<RequestId>of-a-test</RequestId></ErrorResponse>""";

    private static string End =>
        TimeProvider.System.GetUtcNow().AddHours(1).ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", System.Globalization.CultureInfo.InvariantCulture);

    private string Keys(string by)
    {
        _given.Enqueue(by);
        return new JsonObject
        {
            ["Code"] = "Success",
            ["Type"] = "AWS-HMAC",
            ["LastUpdated"] = "2026-01-01T00:00:00Z",
            ["AccessKeyId"] = Holder.AccessKeyId,
            ["SecretAccessKey"] = Holder.SecretAccessKey,
            ["Token"] = Holder.SessionToken,
            ["AccountId"] = Holder.Account,
            ["Expiration"] = End,
        }.ToJsonString();
    }
}
