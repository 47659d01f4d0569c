using System.Collections.Concurrent;
using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using ProxySwapper.Registry.Credentials;
using ProxySwapper.Registry.Transport;

namespace ProxySwapper.Registry.Authentication;

/// <summary>
/// Requests tokens from a registry's token server: by GET with Basic for password users and anonymously, by an OAuth2 form for identity
/// tokens and for servers that do not support GET. Errors never contain the URL's query.
/// </summary>
internal sealed class TokenClient(RegistryName registry, RedirectingSender sender, TimeProvider time)
{
    private const string ClientId = "proxyswapper";
    private const int MaxResponseSize = 1024 * 1024;

    /// <summary>Identity tokens that a server has replaced: the old ones are usually no longer valid.</summary>
    private readonly ConcurrentDictionary<RegistryCredential, string> _rotated = new();

    /// <exception cref="RegistryException">The token server could not be reached, or returned an error or an invalid response.</exception>
    public async Task<BearerToken> FetchAsync(TokenKey key)
    {
        if (key.Credential.IdentityToken is { } identity)
            return await RefreshAsync(key, identity);
        try
        {
            return await ReadAsync(key, ToGet(key), BasicOf(key.Credential));
        }
        catch (RegistryException fault)
            when (fault.Status is HttpStatusCode.MethodNotAllowed or HttpStatusCode.NotFound && !key.Credential.IsAnonymous)
        {
            return await ReadAsync(
                key,
                ToPost(
                    key,
                    key.Credential.Password,
                    ("grant_type", "password"),
                    ("username", key.Credential.Username),
                    ("password", key.Credential.Password)
                ),
                null
            );
        }
    }

    /// <summary>Uses the token that replaced an identity token; if the server rejects it, the identity token itself.</summary>
    private async Task<BearerToken> RefreshAsync(TokenKey key, string identity)
    {
        if (_rotated.TryGetValue(key.Credential, out var replacement))
            try
            {
                return await RefreshWithAsync(replacement);
            }
            catch (RegistryException fault)
                when (fault.Status is HttpStatusCode.BadRequest or HttpStatusCode.Unauthorized or HttpStatusCode.Forbidden)
            {
                // Such as one that another process has replaced.
                _rotated.TryRemove(KeyValuePair.Create(key.Credential, replacement));
            }
        return await RefreshWithAsync(identity);

        Task<BearerToken> RefreshWithAsync(string token) =>
            ReadAsync(key, ToPost(key, token, ("grant_type", "refresh_token"), ("refresh_token", token)), null);
    }

    public static AuthenticationHeaderValue? BasicOf(RegistryCredential credential) =>
        credential.Password.Length + credential.Username.Length == 0
            ? null
            : new("Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes($"{credential.Username}:{credential.Password}")));

    private async Task<BearerToken> ReadAsync(TokenKey key, RegistryRequest request, AuthenticationHeaderValue? authorization)
    {
        // Its realm is from the registry, which may have received the password by Basic.
        request.Secrets.Add(BasicOf(key.Credential));
        using var response = await sender.SendAsync(request, authorization, CancellationToken.None);
        if (response.Status != HttpStatusCode.OK)
            throw await ErrorResponseReader.ReadAsync(response, request, null, time, CancellationToken.None);
        var token =
            TokenResponse.Read((await ReadBodyAsync(response, request)).Span)
            ?? throw request.Fault(response.Status, "the response has no token");
        if (token.Token.Length > RegistryCredential.MaximumLength)
            throw request.Fault(response.Status, $"the token has more than {RegistryCredential.MaximumLength} characters", limit: true);
        if (!HeaderText.IsValid(token.Token))
            throw request.Fault(response.Status, "the token has characters that a header cannot have");
        if (token.RefreshToken is { Length: > 0 } next && key.Credential.IdentityToken is not null)
            _rotated[key.Credential] = next;
        // A tenth of the lifetime is left unused, so that a token does not expire in transit.
        return new BearerToken(token.Token, time.GetUtcNow() + token.Lifetime * 0.9);
    }

    private static async Task<ReadOnlyMemory<byte>> ReadBodyAsync(RegistryResponse response, RegistryRequest request)
    {
        try
        {
            return await response.ReadBodyAsync(MaxResponseSize, CancellationToken.None);
        }
        catch (Exception fault) when (fault is IOException or InvalidDataException)
        {
            throw request.Fault(response.Status, fault.Message, fault, transient: fault is IOException);
        }
    }

    private RegistryRequest ToGet(TokenKey key)
    {
        var query = new StringBuilder(key.Realm.Query.TrimStart('?'));
        if (key.Service is { } service)
            Append("service", service);
        foreach (var scope in key.ScopeNames)
            Append("scope", scope);
        Append("client_id", ClientId);
        if (key.Credential.Username.Length > 0)
            Append("account", key.Credential.Username);
        return ToServer(key, HttpMethod.Get, new UriBuilder(key.Realm) { Query = query.ToString() }.Uri);

        void Append(string name, string value) =>
            query.Append(query.Length > 0 ? "&" : "").Append(name).Append('=').Append(Uri.EscapeDataString(value));
    }

    private RegistryRequest ToPost(TokenKey key, string secret, params IEnumerable<(string Name, string Value)> grant)
    {
        List<(string Name, string Value)> form = [.. grant, ("client_id", ClientId), ("access_type", "offline")];
        if (key.Service is { } service)
            form.Add(("service", service));
        if (key.Scopes.Length > 0)
            form.Add(("scope", key.Scopes));
        return ToServer(key, HttpMethod.Post, key.Realm) with
        {
            Content = _ => new FormUrlEncodedContent(form.Select(field => KeyValuePair.Create(field.Name, field.Value))),
            // The body contains a secret, so no redirect is followed.
            IsRepeatable = false,
            Secrets = new(secret),
        };
    }

    /// <summary>A failure counts as the registry's, which is unusable without its token server.</summary>
    private RegistryRequest ToServer(TokenKey key, HttpMethod method, Uri address) =>
        new(method, registry, "", address) { Expected = [HttpStatusCode.OK], Server = DescribeServer(key) };

    private static string DescribeServer(TokenKey key)
    {
        var server = $"the token server {TokenRealm.Describe(key.Realm.ToString())}";
        return key.Scopes.Length == 0 ? server : $"{server}, scope {key.Scopes}";
    }
}

/// <summary>
/// The response of a token server
/// (<see href="https://distribution.github.io/distribution/spec/auth/token/">Docker Registry v2, token authentication</see>,
/// <see href="https://distribution.github.io/distribution/spec/auth/oauth/">OAuth2</see>): <c>token</c> or <c>access_token</c>,
/// and a new <c>refresh_token</c> if the server rotates them.
/// </summary>
internal sealed record TokenResponse(string Token, TimeSpan Lifetime, string? RefreshToken)
{
    /// <summary>The lifetime assumed if none is given, and the minimum lifetime, both from that specification.</summary>
    private const int ShortestLifetime = 60;
    private const int LongestLifetime = 24 * 60 * 60;

    /// <summary>Reads a response; null if it contains no token.</summary>
    public static TokenResponse? Read(ReadOnlySpan<byte> json)
    {
        string? token = null,
            accessToken = null,
            refreshToken = null;
        var lifetime = ShortestLifetime;
        try
        {
            var reader = new Utf8JsonReader(json);
            if (!reader.Read() || reader.TokenType != JsonTokenType.StartObject)
                return null;
            while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
            {
                var name = reader.GetString();
                reader.Read();
                if (name == "token")
                    token = Text(ref reader);
                else if (name == "access_token")
                    accessToken = Text(ref reader);
                else if (name == "refresh_token")
                    refreshToken = Text(ref reader);
                else if (name == "expires_in" && reader.TokenType == JsonTokenType.Number && reader.TryGetDouble(out var seconds))
                    lifetime = (int)Math.Clamp(seconds, ShortestLifetime, LongestLifetime);
                else
                    reader.Skip();
            }
        }
        catch (Exception fault) when (fault is JsonException or InvalidOperationException)
        {
            return null;
        }
        var value = string.IsNullOrEmpty(token) ? accessToken : token;
        return string.IsNullOrEmpty(value) ? null : new TokenResponse(value, TimeSpan.FromSeconds(lifetime), refreshToken);
    }

    private static string? Text(ref Utf8JsonReader reader)
    {
        if (reader.TokenType == JsonTokenType.String)
            return reader.GetString();
        reader.Skip();
        return null;
    }
}
