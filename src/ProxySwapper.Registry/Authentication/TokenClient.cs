using System.Net;
using System.Net.Http.Headers;
using System.Text;
using ProxySwapper.Registry.Credentials;
using ProxySwapper.Registry.Transport;

namespace ProxySwapper.Registry.Authentication;

/// <summary>
/// Asks the token server that a registry named: by GET with Basic for users with a password and for nobody, by an OAuth2 form for
/// identity tokens and for servers that take no GET. Its errors never hold the address's query.
/// </summary>
internal sealed class TokenClient(string registry, RedirectingSender exchange, TimeProvider time)
{
    private const string ClientId = "proxyswapper";
    private const int MaxAnswerSize = 1024 * 1024;

    /// <summary>What a server gave instead of an identity token: the old one counts no longer.</summary>
    private readonly System.Collections.Concurrent.ConcurrentDictionary<RegistryCredential, string> _rotated = new();

    /// <exception cref="RegistryException">The token server refused, failed or answered nonsense.</exception>
    public async Task<BearerToken> FetchAsync(TokenKey key)
    {
        if (key.Credential.IdentityToken is { } identity)
            return await ReadAsync(
                key,
                ToPost(key, ("grant_type", "refresh_token"), ("refresh_token", _rotated.GetValueOrDefault(key.Credential, identity))),
                null
            );
        try
        {
            return await ReadAsync(key, ToGet(key), BasicOf(key.Credential));
        }
        catch (RegistryException fault)
            when (fault.Status is HttpStatusCode.MethodNotAllowed or HttpStatusCode.NotFound && !key.Credential.IsAnonymous)
        {
            return await ReadAsync(
                key,
                ToPost(key, ("grant_type", "password"), ("username", key.Credential.Username), ("password", key.Credential.Password)),
                null
            );
        }
    }

    public static AuthenticationHeaderValue? BasicOf(RegistryCredential credential) =>
        credential.Password.Length + credential.Username.Length == 0
            ? null
            : new("Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes($"{credential.Username}:{credential.Password}")));

    private async Task<BearerToken> ReadAsync(TokenKey key, RegistryRequest request, AuthenticationHeaderValue? authorization)
    {
        using var answer = await exchange.SendAsync(request, authorization, CancellationToken.None);
        if (answer.Status != HttpStatusCode.OK)
            throw await ErrorResponseReader.ReadAsync(answer, request, $"the token server of {registry}", time, CancellationToken.None);
        var token =
            TokenResponse.Read((await ReadBodyAsync(answer, request)).Span)
            ?? throw request.Fault(answer.Status, $"the token server of {registry} gave no token");
        if (token.RefreshToken is { Length: > 0 } next && key.Credential.IdentityToken is not null)
            _rotated[key.Credential] = next;
        // A tenth of the lifetime is left unused, so that a token does not end on its way.
        return new BearerToken(token.Token, time.GetUtcNow() + token.Lifetime * 0.9);
    }

    private static async Task<ReadOnlyMemory<byte>> ReadBodyAsync(RegistryResponse answer, RegistryRequest request)
    {
        try
        {
            return await answer.ReadBodyAsync(MaxAnswerSize, CancellationToken.None);
        }
        catch (Exception fault) when (fault is IOException or InvalidDataException)
        {
            throw request.Fault(answer.Status, fault.Message, fault, transient: fault is IOException);
        }
    }

    private static RegistryRequest ToGet(TokenKey key)
    {
        var query = new StringBuilder(key.Realm.Query.TrimStart('?'));
        if (key.Service is { } service)
            Append("service", service);
        foreach (var scope in key.ScopeNames)
            Append("scope", scope);
        Append("client_id", ClientId);
        if (key.Credential.Username.Length > 0)
            Append("account", key.Credential.Username);
        return Request(HttpMethod.Get, new UriBuilder(key.Realm) { Query = query.ToString() }.Uri);

        void Append(string name, string value) =>
            query.Append(query.Length > 0 ? "&" : "").Append(name).Append('=').Append(Uri.EscapeDataString(value));
    }

    private static RegistryRequest ToPost(TokenKey key, params IEnumerable<(string Name, string Value)> grant)
    {
        List<(string Name, string Value)> form = [.. grant, ("client_id", ClientId), ("access_type", "offline")];
        if (key.Service is { } service)
            form.Add(("service", service));
        if (key.Scopes.Length > 0)
            form.Add(("scope", key.Scopes));
        return Request(HttpMethod.Post, key.Realm) with
        {
            Content = () => new FormUrlEncodedContent(form.Select(field => KeyValuePair.Create(field.Name, field.Value))),
            // The secret within goes to this server alone: no redirect takes it elsewhere.
            IsRepeatable = false,
        };
    }

    private static RegistryRequest Request(HttpMethod method, Uri address) =>
        new(method, address.Authority, "", address) { Expected = [HttpStatusCode.OK] };
}
