using System.Net.Http.Headers;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.RegularExpressions;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using ProxySwapper.Testing.Processes;
using ProxySwapper.Testing.Registries;

namespace ProxySwapper.Testing.Clouds;

/// <summary>
/// A real registry with the authentication of ECR: it requires Basic, accepts the passwords that <see cref="FakeEcr"/> has issued and that
/// are still valid, responds with 403 and no challenge to expired ones, and denies what <see cref="FakeEcr.AllowedActions"/> lacks.
/// </summary>
internal sealed partial class EcrRegistry : IAsyncDisposable
{
    private readonly WebApplication _server;
    private readonly DebianRegistry _registry;
    private readonly FakeEcr _ecr;
    private readonly HttpMessageInvoker _forward = new(new SocketsHttpHandler { AllowAutoRedirect = false, UseProxy = false });
    private int _passed;
    private int _rejected;
    private int _dropped;

    private EcrRegistry(WebApplication server, DebianRegistry registry, FakeEcr ecr) =>
        (_server, _registry, _ecr) = (server, registry, ecr);

    public string Address => new Uri(_server.Urls.Single()).Authority;

    /// <summary>Accepted requests.</summary>
    public int Passed => _passed;

    /// <summary>Requests with an expired password.</summary>
    public int Rejected => _rejected;

    /// <summary>Expires all passwords after this many requests; null (default) for never.</summary>
    public int? PasswordsEndAfter { get; set; }

    /// <summary>
    /// Whether only repositories created in <see cref="FakeEcr"/> exist, with their tag immutability. Default false: all exist.
    /// </summary>
    public bool HasMadeRepositoriesOnly { get; set; }

    /// <summary>Uploads that were dropped because there is no such repository.</summary>
    public int Dropped => _dropped;

    /// <param name="ecr">Issues the passwords.</param>
    /// <param name="certificate">For TLS; null for plain HTTP.</param>
    public static async Task<EcrRegistry> StartAsync(FakeEcr ecr, X509Certificate2? certificate = null)
    {
        var server = LoopbackServer.Build(certificate);
        var guarded = new EcrRegistry(server, await DebianRegistry.StartAsync(), ecr);
        server.Run(guarded.RespondAsync);
        await server.StartAsync();
        return guarded;
    }

    /// <summary>The digest of a tag, from the registry itself, without authentication.</summary>
    public async Task<string?> DigestAsync(string repository, string tag)
    {
        using var client = new HttpClient
        {
            DefaultRequestHeaders = { { "Accept", "application/vnd.oci.image.manifest.v1+json, application/vnd.oci.image.index.v1+json" } },
        };
        using var response = await client.GetAsync(new Uri($"http://{_registry.Address}/v2/{repository}/manifests/{tag}"));
        return response.Headers.TryGetValues("Docker-Content-Digest", out var values) ? values.Single() : null;
    }

    public async ValueTask DisposeAsync()
    {
        await _server.DisposeAsync();
        await _registry.DisposeAsync();
        _forward.Dispose();
    }

    private async Task RespondAsync(HttpContext context)
    {
        if (
            !AuthenticationHeaderValue.TryParse(context.Request.Headers.Authorization, out var sent)
            || sent is not { Scheme: "Basic", Parameter: { } pair }
        )
        {
            await RegistryFaults.Status(
                401,
                "UNAUTHORIZED",
                "Not Authorized",
                ("WWW-Authenticate", $"Basic realm=\"https://{Address}/\",service=\"ecr.amazonaws.com\"")
            )(context, _ => Task.CompletedTask);
            return;
        }
        if (
            Encoding.UTF8.GetString(Convert.FromBase64String(pair)).Split(':', 2) is not ["AWS", var password]
            || !_ecr.Passwords.TryGetValue(password, out var principal)
        )
        {
            Interlocked.Increment(ref _rejected);
            await RegistryFaults.Status(403, "DENIED", "Your authorization token has expired. Reauthenticate and try again.")(
                context,
                _ => Task.CompletedTask
            );
            return;
        }
        if (Interlocked.Increment(ref _passed) == PasswordsEndAfter)
            _ecr.Passwords.Clear();
        var path = RepositoryPath().Match(context.Request.Path);
        if (path.Success && ActionsOf(context.Request, path.Groups[2].Value).FirstOrDefault(action => !_ecr.Allows(action)) is { } action)
        {
            var resource = $"arn:aws:ecr:{_ecr.Region}:{principal.Account}:repository/{path.Groups[1].Value}";
            await RegistryFaults.Status(403, "DENIED", FakeEcrResponses.NotAuthorized(principal, action, resource))(
                context,
                _ => Task.CompletedTask
            );
            return;
        }
        if (HasMadeRepositoriesOnly && path.Success && await RejectAsync(context, path))
            return;
        await ForwardAsync(context);
    }

    /// <summary>The response of ECR if the repository does not exist, or the tag exists and is immutable.</summary>
    private async Task<bool> RejectAsync(HttpContext context, Match path)
    {
        var (name, kind, reference) = (path.Groups[1].Value, path.Groups[2].Value, path.Groups[3].Value);
        if (!_ecr.Repositories.TryGetValue(name, out var repository))
        {
            if (kind == "blobs" && context.Request.Method is "POST" or "PUT" or "PATCH")
            {
                Interlocked.Increment(ref _dropped);
                context.Abort();
                return true;
            }
            await RegistryFaults.Status(
                404,
                "NAME_UNKNOWN",
                $"The repository with name '{name}' does not exist in the registry with id '{_ecr.Principal.Account}'"
            )(context, _ => Task.CompletedTask);
            return true;
        }
        var isFixed =
            kind == "manifests"
            && context.Request.Method == "PUT"
            && !reference.StartsWith("sha256:", StringComparison.Ordinal)
            && (string?)repository["imageTagMutability"] == "IMMUTABLE"
            && await DigestAsync(name, reference) is not null;
        if (isFixed)
            await RegistryFaults.Status(
                400,
                "TAG_INVALID",
                $"The image tag '{reference}' already exists in the '{name}' repository "
                    + "and cannot be overwritten because the tag is immutable."
            )(context, _ => Task.CompletedTask);
        return isFixed;
    }

    /// <summary>
    /// The IAM actions that a request needs
    /// (<see href="https://docs.aws.amazon.com/AmazonECR/latest/userguide/image-push-iam.html"/> and the reference of ECR's actions).
    /// </summary>
    private static string[] ActionsOf(HttpRequest request, string kind) =>
        (request.Method, kind) switch
        {
            ("GET" or "HEAD", "manifests") => ["ecr:BatchGetImage"],
            ("PUT", "manifests") => ["ecr:PutImage"],
            ("HEAD", "blobs") => ["ecr:BatchCheckLayerAvailability"],
            ("GET", "blobs") => ["ecr:GetDownloadUrlForLayer"],
            ("POST", "blobs") => ["ecr:InitiateLayerUpload"],
            ("PATCH", "blobs") => ["ecr:UploadLayerPart"],
            ("PUT", "blobs") when request.ContentLength is 0 or null => ["ecr:CompleteLayerUpload"],
            ("PUT", "blobs") => ["ecr:UploadLayerPart", "ecr:CompleteLayerUpload"],
            ("GET", "tags") => ["ecr:ListImages"],
            _ => [],
        };

    [GeneratedRegex("^/v2/(.+)/(manifests|blobs|tags)/(.+)$")]
    private static partial Regex RepositoryPath();

    private async Task ForwardAsync(HttpContext context)
    {
        using var request = new HttpRequestMessage(
            new HttpMethod(context.Request.Method),
            $"http://{_registry.Address}{context.Request.Path}{context.Request.QueryString}"
        );
        if (context.Request.ContentLength is not null || context.Request.Headers.TransferEncoding.Count > 0)
            request.Content = new StreamContent(context.Request.Body);
        foreach (var (name, values) in context.Request.Headers)
            if (name is not ("Authorization" or "Transfer-Encoding") && !request.Headers.TryAddWithoutValidation(name, values.ToArray()))
                request.Content?.Headers.TryAddWithoutValidation(name, values.ToArray());
        using var response = await _forward.SendAsync(request, context.RequestAborted);
        context.Response.StatusCode = (int)response.StatusCode;
        foreach (var (name, values) in response.Headers.Concat(response.Content.Headers))
            if (name != "Transfer-Encoding")
                context.Response.Headers[name] = values.Select(value => name == "Location" ? new Uri(value).PathAndQuery : value).ToArray();
        if (context.Request.Method != "HEAD")
            await response.Content.CopyToAsync(context.Response.Body, context.RequestAborted);
    }
}
