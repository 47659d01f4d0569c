using System.Collections.Concurrent;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using ProxySwapper.Registry.InMemory;
using ProxySwapper.Testing.Processes;

namespace ProxySwapper.Testing.Registries;

/// <summary>
/// A token server for Bearer challenges of registries: GET with Basic, OAuth2 forms, and a guard that makes a registry require
/// its tokens. A token is only valid for the requested scopes.
/// </summary>
internal sealed class TokenServer : IAsyncDisposable
{
    private readonly WebApplication _server;
    private readonly ConcurrentQueue<ReceivedRequest> _received = new();
    private readonly ConcurrentQueue<string> _forms = new();
    private readonly ConcurrentDictionary<string, HashSet<string>> _tokens = new();
    private int _issued;

    private TokenServer(WebApplication server) => _server = server;

    /// <summary>The URL of the realm.</summary>
    public Uri Realm { get; private set; } = null!;

    /// <summary>The realm in the challenge instead of <see cref="Realm"/>; null (default) for that one.</summary>
    public string? NamedRealm { get; set; }

    /// <summary>The service in the challenge; null for none.</summary>
    public string? Service { get; set; } = "registry.test";

    /// <summary>Users with their passwords; none (default) for anonymous access.</summary>
    public Dictionary<string, string> Users { get; } = [];

    /// <summary>Refresh tokens accepted by the form.</summary>
    public HashSet<string> IdentityTokens { get; } = [];

    /// <summary>The refresh token to return in place of the one received; null (default) for none.</summary>
    public string? NextIdentityToken { get; set; }

    /// <summary>The stated lifetime of tokens; null for none.</summary>
    public int? ExpiresIn { get; set; } = 300;

    /// <summary>The name of the token in the response.</summary>
    public string TokenName { get; set; } = "token";

    /// <summary>Responds to one request instead of this server; null (default) for none.</summary>
    public RegistryFault? NextFault { get; set; }

    public bool AcceptsGet { get; set; } = true;

    /// <summary>What a response waits for; completed by default.</summary>
    public Task Gate { get; set; } = Task.CompletedTask;

    public IReadOnlyList<ReceivedRequest> Received => [.. _received];

    public IReadOnlyList<string> Forms => [.. _forms];

    public static async Task<TokenServer> StartAsync()
    {
        var server = LoopbackServer.Build();
        var tokens = new TokenServer(server);
        server.Run(tokens.RespondAsync);
        await server.StartAsync();
        tokens.Realm = new Uri(
            server.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Single() + "/token"
        );
        return tokens;
    }

    /// <summary>Invalidates all issued tokens.</summary>
    public void Revoke() => _tokens.Clear();

    /// <summary>Accepts requests with a token for what they do, and challenges all others.</summary>
    public Task GuardAsync(HttpContext context, RequestDelegate registry)
    {
        var needed = ScopesOf(context.Request);
        if (
            AuthenticationHeaderValue.TryParse(context.Request.Headers.Authorization, out var sent)
            && sent is { Scheme: "Bearer", Parameter: { } token }
            && _tokens.TryGetValue(token, out var scopes)
            && needed.All(scopes.Contains)
        )
            return registry(context);
        var service = Service is null ? "" : $",service=\"{Service}\"";
        var scope =
            needed.Count == 0
                ? ""
                : $",scope=\"{string.Join(' ', needed.Where(one => !one.EndsWith(":push", StringComparison.Ordinal)))}\"";
        return RegistryFaults.Status(
            401,
            "UNAUTHORIZED",
            "a token is needed",
            ("WWW-Authenticate", $"Bearer realm=\"{NamedRealm ?? Realm.ToString()}\"{service}{scope}")
        )(context, registry);
    }

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    private static List<string> ScopesOf(HttpRequest request)
    {
        var route = InMemoryRegistryRoute.Of(request);
        if (route.Repository is not { Length: > 0 } repository)
            return [];
        var scopes = new List<string> { $"repository:{repository}:pull" };
        if (request.Method is not ("GET" or "HEAD"))
            scopes.Add($"repository:{repository}:push");
        if (request.Query["from"].ToString() is { Length: > 0 } from)
            scopes.Add($"repository:{from}:pull");
        return scopes;
    }

    private async Task RespondAsync(HttpContext context)
    {
        var request = context.Request;
        _received.Enqueue(ReceivedRequest.Of(request));
        await Gate;
        if (NextFault is { } fault)
        {
            NextFault = null;
            await fault(context, _ => Task.CompletedTask);
            return;
        }
        var isForm = request.Method == "POST";
        if (!isForm && !AcceptsGet)
        {
            context.Response.StatusCode = 405;
            return;
        }
        var form = isForm ? await request.ReadFormAsync() : FormCollection.Empty;
        if (isForm)
            _forms.Enqueue(
                string.Join('&', form.OrderBy(field => field.Key, StringComparer.Ordinal).Select(field => $"{field.Key}={field.Value}"))
            );
        if (!(isForm ? IsKnown(form) : IsKnown(request)))
        {
            await RegistryFaults.Status(401, "UNAUTHORIZED", "incorrect username or password")(context, _ => Task.CompletedTask);
            return;
        }
        await WriteTokenAsync(
            context,
            isForm
                ? form["scope"].ToString().Split(' ')
                : [.. request.Query["scope"].OfType<string>().SelectMany(scope => scope.Split(' '))]
        );
    }

    private async Task WriteTokenAsync(HttpContext context, string[] scopes)
    {
        var token = $"token-{Interlocked.Increment(ref _issued)}";
        _tokens[token] = [.. scopes.Where(scope => scope.Length > 0).SelectMany(Actions)];
        using var body = new MemoryStream();
        using (var writer = new Utf8JsonWriter(body))
        {
            writer.WriteStartObject();
            writer.WriteString(TokenName, token);
            if (ExpiresIn is { } seconds)
                writer.WriteNumber("expires_in", seconds);
            if (NextIdentityToken is { } next)
            {
                writer.WriteString("refresh_token", next);
                IdentityTokens.Add(next);
            }
            writer.WriteEndObject();
        }
        context.Response.ContentType = "application/json";
        await context.Response.Body.WriteAsync(body.ToArray());
    }

    private bool IsKnown(HttpRequest request)
    {
        if (Users.Count == 0)
            return true;
        if (
            !AuthenticationHeaderValue.TryParse(request.Headers.Authorization, out var sent)
            || sent is not { Scheme: "Basic", Parameter: { } parameter }
        )
            return false;
        return Encoding.UTF8.GetString(Convert.FromBase64String(parameter)).Split(':', 2) is [var user, var password]
            && Users.GetValueOrDefault(user) == password;
    }

    private bool IsKnown(IFormCollection form) =>
        form["grant_type"].ToString() switch
        {
            "refresh_token" => IdentityTokens.Contains(form["refresh_token"].ToString()),
            "password" => Users.GetValueOrDefault(form["username"].ToString()) == form["password"].ToString(),
            _ => false,
        };

    private static IEnumerable<string> Actions(string scope)
    {
        var last = scope.LastIndexOf(':');
        return last < 0 ? [scope] : scope[(last + 1)..].Split(',').Select(action => $"{scope[..last]}:{action}");
    }
}
