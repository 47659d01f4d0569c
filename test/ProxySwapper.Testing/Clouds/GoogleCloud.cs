using System.Net.Http.Headers;
using System.Text;
using Microsoft.AspNetCore.Http;
using ProxySwapper.Registry.InMemory;
using ProxySwapper.Registry.Oci;

namespace ProxySwapper.Testing.Clouds;

/// <summary>
/// The services that a Pod with Workload Identity uses at Google, on one port: the metadata server, which issues access tokens
/// (<see href="https://cloud.google.com/compute/docs/access/authenticate-workloads#applications"/>), the service that exchanges tokens
/// of other
/// providers, and an Artifact Registry, which accepts
/// one as the password of <c>oauth2accesstoken</c> at <c>/v2/token</c> and issues a token for a repository.
/// </summary>
internal sealed class GoogleCloud : IAsyncDisposable
{
    public const string Repository = "project/repository/image";

    /// <summary>The token that an identity of another provider presents for federation.</summary>
    public const string SubjectToken = "subject-token-of-a-test";
    public const string Audience = "//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/pool/providers/provider";

    private const string RegistryToken = "registry-token-of-a-test";
    private int _tokensTaken;

    private GoogleCloud(InMemoryRegistry? registry) => Registry = registry!;

    public InMemoryRegistry Registry { get; private set; }

    /// <summary>Host and port of both.</summary>
    public string Address => Registry.Address;

    /// <summary>The token that the metadata server issues.</summary>
    public string AccessToken { get; set; } = "ya29.access-token-of-a-test";

    /// <summary>Makes the metadata server fail.</summary>
    public bool MetadataFails { get; set; }

    /// <summary>How often the registry issued a token for the access token.</summary>
    public int TokensTaken => _tokensTaken;

    /// <summary>A manifest that requires authentication.</summary>
    public Descriptor Manifest { get; private set; } = null!;

    public static async Task<GoogleCloud> StartAsync()
    {
        var cloud = new GoogleCloud(null);
        cloud.Registry = await InMemoryRegistry.StartAsync(
            new InMemoryRegistryOptions { Interceptor = (context, next) => cloud.RespondAsync(context, next) }
        );
        var config = cloud.Registry.AddBlob(Repository, "{}"u8.ToArray());
        var manifest =
            $$"""{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":"""
            + $$"""{"mediaType":"application/vnd.oci.image.config.v1+json","digest":"{{config.Digest}}","size":2}"""
            + $$""","layers":[]}""";
        cloud.Manifest = cloud.Registry.AddManifest(
            Repository,
            "application/vnd.oci.image.manifest.v1+json",
            Encoding.UTF8.GetBytes(manifest),
            "1"
        );
        return cloud;
    }

    public ValueTask DisposeAsync() => Registry.DisposeAsync();

    private Task RespondAsync(HttpContext context, RequestDelegate next)
    {
        var path = context.Request.Path.Value!;
        if (path.StartsWith("/computeMetadata/", StringComparison.Ordinal) || path == "/")
            return ServeMetadataAsync(context, path);
        if (path == "/v2/token")
            return ServeTokenAsync(context);
        if (path == "/v1/token")
            return ExchangeAsync(context);
        if (context.Request.Headers.Authorization == $"Bearer {RegistryToken}")
            return next(context);
        // Google's challenge has no service.
        context.Response.StatusCode = StatusCodes.Status401Unauthorized;
        context.Response.Headers.WWWAuthenticate = $"Bearer realm=\"http://{Address}/v2/token\",scope=\"repository:{Repository}:pull\"";
        return context.Response.WriteAsync("""{"errors":[{"code":"UNAUTHORIZED","message":"Unauthenticated request."}]}""");
    }

    private Task ServeMetadataAsync(HttpContext context, string path)
    {
        context.Response.Headers["Metadata-Flavor"] = "Google";
        if (path == "/")
            return context.Response.WriteAsync("computeMetadata/\n");
        if (context.Request.Headers["Metadata-Flavor"] != "Google")
        {
            context.Response.StatusCode = StatusCodes.Status403Forbidden;
            return Task.CompletedTask;
        }
        if (MetadataFails)
        {
            context.Response.StatusCode = StatusCodes.Status500InternalServerError;
            return context.Response.WriteAsync("the metadata server of a test fails");
        }
        if (!path.EndsWith("/token", StringComparison.Ordinal))
            return context.Response.WriteAsync(
                path.EndsWith("/email", StringComparison.Ordinal) ? "cache@project.iam.gserviceaccount.com" : ""
            );
        context.Response.ContentType = "application/json";
        return context.Response.WriteAsync($$"""{"access_token":"{{AccessToken}}","expires_in":3599,"token_type":"Bearer"}""");
    }

    /// <summary>
    /// Workload Identity Federation (<see href="https://cloud.google.com/iam/docs/reference/sts/rest/v1/TopLevel/token"/>).
    /// </summary>
    private async Task ExchangeAsync(HttpContext context)
    {
        var form = await context.Request.ReadFormAsync();
        var isRight =
            form["grant_type"] == "urn:ietf:params:oauth:grant-type:token-exchange"
            && form["subject_token"] == SubjectToken
            && form["audience"] == Audience;
        context.Response.StatusCode = isRight ? StatusCodes.Status200OK : StatusCodes.Status400BadRequest;
        context.Response.ContentType = "application/json";
        await context.Response.WriteAsync(
            isRight
                ? $$"""{"access_token":"{{AccessToken}}","issued_token_type":"urn:ietf:params:oauth:token-type:"""
                    + $$"""access_token","token_type":"Bearer","expires_in":3599}"""
                : """{"error":"invalid_grant","error_description":"The given credential is rejected by the attribute condition."}"""
        );
    }

    private Task ServeTokenAsync(HttpContext context)
    {
        var expected = Convert.ToBase64String(Encoding.UTF8.GetBytes($"oauth2accesstoken:{AccessToken}"));
        if (
            !AuthenticationHeaderValue.TryParse(context.Request.Headers.Authorization, out var header)
            || header is not { Scheme: "Basic", Parameter: var given }
            || given != expected
        )
        {
            context.Response.StatusCode = StatusCodes.Status401Unauthorized;
            return context.Response.WriteAsync("""{"errors":[{"code":"UNAUTHORIZED","message":"authentication failed"}]}""");
        }
        Interlocked.Increment(ref _tokensTaken);
        context.Response.ContentType = "application/json";
        return context.Response.WriteAsync($$"""{"token":"{{RegistryToken}}","expires_in":3600}""");
    }
}
