using System.Collections.Concurrent;
using System.Net.Http.Headers;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;
using ProxySwapper.Registry.InMemory;
using ProxySwapper.Testing.Registries;

namespace ProxySwapper.Testing.Clouds;

/// <summary>
/// The services that a Pod with Workload Identity uses at Azure, on one port: Entra, which issues an access token for the Pod's own token
/// (<see href="https://learn.microsoft.com/entra/identity-platform/v2-oauth2-client-creds-grant-flow"/>, the third case),
/// and a registry, which exchanges it at <c>/oauth2/exchange</c> for a refresh token, and that at <c>/oauth2/token</c> for an access token
/// of a repository
/// (<see href="https://azure.github.io/acr/AAD-OAuth.html"/>). A service principal is accepted at <c>/oauth2/token</c> with its password.
/// </summary>
internal sealed class AzureCloud : IAsyncDisposable
{
    public const string Tenant = "11111111-2222-3333-4444-555555555555";
    public const string Client = "66666666-7777-8888-9999-000000000000";
    public const string FederatedToken = "federated-token-of-a-test";
    public const string PrincipalId = "service-principal-of-a-test";
    public const string PrincipalPassword = "service-principal-password-of-a-test";

    /// <summary>The prefix of every token that must never appear in logs or errors.</summary>
    public const string EntraToken = "entra-token-of-a-test";

    private readonly ConcurrentQueue<IReadOnlyDictionary<string, string>> _exchanges = new();
    private readonly ConcurrentDictionary<string, byte> _refreshTokens = new();
    private readonly ConcurrentDictionary<string, byte> _registryTokens = new();
    private readonly ConcurrentQueue<string> _clients = new();
    private int _issued;

    private AzureCloud(bool isTls) => Scheme = isTls ? "https" : "http";

    public InMemoryRegistry Registry { get; private set; } = null!;

    /// <summary>Host and port of both, as in the certificates of tests.</summary>
    public string Address => $"localhost:{Registry.Address.Split(':')[1]}";

    /// <summary>For <c>AZURE_AUTHORITY_HOST</c>.</summary>
    public string Authority => $"{Scheme}://{Address}/";

    public TimeProvider Time { get; private init; } = TimeProvider.System;

    /// <summary>The lifetime of refresh tokens.</summary>
    public TimeSpan RefreshTokenLifetime { get; set; } = TimeSpan.FromHours(3);

    /// <summary>The forms that were exchanged for refresh tokens.</summary>
    public IReadOnlyList<IReadOnlyDictionary<string, string>> Exchanges => [.. _exchanges];

    /// <summary>The clients that requested a token from Entra, in order.</summary>
    public IReadOnlyList<string> Clients => [.. _clients];

    /// <summary>Responses for the next exchanges.</summary>
    public ConcurrentQueue<RegistryFault> NextExchanges { get; } = new();

    /// <summary>What an exchange waits for; completed by default.</summary>
    public Task Gate { get; set; } = Task.CompletedTask;

    private string Scheme { get; }

    public static async Task<AzureCloud> StartAsync(X509Certificate2? certificate = null, TimeProvider? time = null)
    {
        var cloud = new AzureCloud(certificate is not null) { Time = time ?? TimeProvider.System };
        cloud.Registry = await InMemoryRegistry.StartAsync(
            new InMemoryRegistryOptions { Certificate = certificate, Interceptor = (context, next) => cloud.RespondAsync(context, next) }
        );
        return cloud;
    }

    /// <summary>Invalidates all tokens that the registry has issued.</summary>
    public void Revoke()
    {
        _refreshTokens.Clear();
        _registryTokens.Clear();
    }

    public ValueTask DisposeAsync() => Registry.DisposeAsync();

    private async Task RespondAsync(HttpContext context, RequestDelegate next)
    {
        var form = context.Request.HasFormContentType
            ? (await context.Request.ReadFormAsync()).ToDictionary(field => field.Key, field => field.Value.ToString())
            : [];
        if (context.Request.Path == "/oauth2/exchange")
            await ExchangeAsync(context, form);
        else if (context.Request.Path == "/oauth2/token")
            await ServeTokenAsync(context, form);
        else if (context.Request.Path == $"/{Tenant}/oauth2/v2.0/token")
            await ServeEntraAsync(context, form);
        else if (
            AuthenticationHeaderValue.TryParse(context.Request.Headers.Authorization, out var sent)
            && sent is { Scheme: "Bearer", Parameter: { } token }
            && _registryTokens.ContainsKey(token)
        )
            await next(context);
        else
            await RegistryFaults.Status(
                401,
                "UNAUTHORIZED",
                "authentication required",
                (
                    "WWW-Authenticate",
                    "Bearer "
                        + $"realm=\"{Scheme}://{Address}/oauth2/token\",service=\"{Address}\","
                        + $"scope=\"repository:{context.Request.Path.Value!.Split('/').ElementAtOrDefault(2)}:pull\""
                )
            )(context, next);
    }

    private Task ServeEntraAsync(HttpContext context, Dictionary<string, string> form)
    {
        _clients.Enqueue(form.GetValueOrDefault("client_id", ""));
        if (form.GetValueOrDefault("client_assertion") != FederatedToken)
            return WriteAsync(
                context,
                401,
                new JsonObject
                {
                    ["error"] = "invalid_client",
                    ["error_description"] = "AADSTS700211: No matching federated identity record found for presented assertion issuer.",
                }
            );
        return form.GetValueOrDefault("scope", "").Contains("https://containerregistry.azure.net/.default", StringComparison.Ordinal)
            ? WriteAsync(
                context,
                200,
                new JsonObject
                {
                    ["token_type"] = "Bearer",
                    ["expires_in"] = 3599,
                    ["access_token"] = $"{EntraToken}-{form["client_id"]}",
                }
            )
            : WriteAsync(
                context,
                400,
                new JsonObject
                {
                    ["error"] = "invalid_scope",
                    ["error_description"] = "AADSTS70011: The provided request must include a 'scope' input parameter.",
                }
            );
    }

    private async Task ExchangeAsync(HttpContext context, Dictionary<string, string> form)
    {
        _exchanges.Enqueue(form);
        await Gate;
        if (NextExchanges.TryDequeue(out var fault))
        {
            await fault(context, _ => Task.CompletedTask);
            return;
        }
        if (
            form.GetValueOrDefault("grant_type") != "access_token"
            || form.GetValueOrDefault("service") != Address
            || !form.GetValueOrDefault("access_token", "").StartsWith(EntraToken, StringComparison.Ordinal)
        )
        {
            await RegistryFaults.Status(
                401,
                "UNAUTHORIZED",
                "authentication required, visit https://aka.ms/acr/authorization for more information."
            )(context, _ => Task.CompletedTask);
            return;
        }
        var claims = new JsonObject
        {
            ["jti"] = Interlocked.Increment(ref _issued),
            ["exp"] = (Time.GetUtcNow() + RefreshTokenLifetime).ToUnixTimeSeconds(),
            ["grant_type"] = "refresh_token",
        };
        var token =
            $"eyJhbGciOiJSUzI1NiJ9.{System.Buffers.Text.Base64Url.EncodeToString(Encoding.UTF8.GetBytes(claims.ToJsonString()))}.signature";
        _refreshTokens[token] = 0;
        await WriteAsync(context, 200, new JsonObject { ["refresh_token"] = token });
    }

    private Task ServeTokenAsync(HttpContext context, Dictionary<string, string> form)
    {
        var isPrincipal =
            context.Request.Headers.Authorization
            == $"Basic {Convert.ToBase64String(Encoding.UTF8.GetBytes($"{PrincipalId}:{PrincipalPassword}"))}";
        var isRefreshed =
            form.GetValueOrDefault("grant_type") == "refresh_token"
            && form.GetValueOrDefault("service") == Address
            && _refreshTokens.ContainsKey(form.GetValueOrDefault("refresh_token", ""));
        if (!isPrincipal && !isRefreshed)
            return RegistryFaults.Status(401, "UNAUTHORIZED", "authentication required")(context, _ => Task.CompletedTask);
        var token = $"registry-token-{Interlocked.Increment(ref _issued)}";
        _registryTokens[token] = 0;
        return WriteAsync(context, 200, new JsonObject { ["access_token"] = token });
    }

    private static Task WriteAsync(HttpContext context, int status, JsonObject body)
    {
        context.Response.StatusCode = status;
        context.Response.ContentType = "application/json";
        return context.Response.WriteAsync(body.ToJsonString());
    }
}
