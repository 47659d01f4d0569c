using System.Net;
using System.Text.Json;
using ProxySwapper.Registry.Protocol;

namespace ProxySwapper.Registry.Credentials;

/// <summary>
/// Exchanges an Entra token for a registry's own refresh token, at <c>/oauth2/exchange</c> of the registry
/// (<see href="https://azure.github.io/acr/AAD-OAuth.html#calling-post-oauth2-exchange-to-get-an-acr-refresh-token"/>).
/// </summary>
internal sealed class AzureTokenExchange(RegistryOptions registries, TimeProvider time) : IDisposable
{
    private const int MaximumAnswer = 256 * 1024;
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(20);

    /// <summary>What a refresh token is kept for that does not tell its end.</summary>
    private static readonly TimeSpan UnknownLifetime = TimeSpan.FromMinutes(10);

    private readonly HttpConnections _connections = new();

    /// <exception cref="RegistryCredentialException">The registry refused, or could not be asked.</exception>
    public async Task<LeasedCredential> ExchangeAsync(string host, string accessToken, string? tenant, CancellationToken cancellationToken)
    {
        var options = registries.For(host);
        var form = new Dictionary<string, string> { ["grant_type"] = "access_token", ["service"] = host, ["access_token"] = accessToken };
        if (!string.IsNullOrEmpty(tenant)) form["tenant"] = tenant;
        using var request = new HttpRequestMessage(HttpMethod.Post, $"{(options.PlainHttp ? "http" : "https")}://{host}/oauth2/exchange") { Content = new FormUrlEncodedContent(form) };
        using var deadline = new CancellationTokenSource(Deadline, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(deadline.Token, cancellationToken);
        try
        {
            using var answer = await _connections.For(options, request.RequestUri!).SendAsync(request, either.Token);
            // What a refusal says is not told on: it may repeat what it was given.
            if (answer.StatusCode != HttpStatusCode.OK) throw new RegistryCredentialException($"azure: {host} exchanges no token: {(int)answer.StatusCode} {answer.ReasonPhrase}");
            await answer.Content.LoadIntoBufferAsync(MaximumAnswer, either.Token);
            await using var stream = await answer.Content.ReadAsStreamAsync(either.Token);
            using var document = await JsonDocument.ParseAsync(stream, cancellationToken: either.Token);
            if (document.RootElement.GetProperty("refresh_token").GetString() is not { Length: > 0 } token) throw new JsonException("no token");
            return new LeasedCredential(RegistryCredential.Identity(token), EndOf(token) ?? time.GetUtcNow() + UnknownLifetime);
        }
        catch (Exception fault) when (fault is HttpRequestException or IOException)
        {
            throw new RegistryCredentialException($"azure: {host} exchanges no token: {fault.Message}", fault);
        }
        catch (Exception fault) when (fault is JsonException or KeyNotFoundException or InvalidOperationException)
        {
            throw new RegistryCredentialException($"azure: {host} exchanges no token: its answer is not of the form that Azure's registries have");
        }
        catch (OperationCanceledException fault) when (!cancellationToken.IsCancellationRequested)
        {
            throw new RegistryCredentialException($"azure: {host} exchanges no token: no answer within {Deadline.TotalSeconds} s", fault);
        }
    }

    public void Dispose() => _connections.Dispose();

    /// <summary>The end that a JWT tells (<see href="https://www.rfc-editor.org/rfc/rfc7519#section-4.1.4">RFC 7519, exp</see>); it is read and not trusted.</summary>
    internal static DateTimeOffset? EndOf(string token)
    {
        var parts = token.Split('.');
        if (parts.Length != 3) return null;
        try
        {
            using var claims = JsonDocument.Parse(System.Buffers.Text.Base64Url.DecodeFromChars(parts[1]));
            return DateTimeOffset.UnixEpoch.AddSeconds(claims.RootElement.GetProperty("exp").GetDouble());
        }
        catch (Exception fault) when (fault is FormatException or JsonException or KeyNotFoundException or InvalidOperationException or ArgumentOutOfRangeException)
        {
            return null;
        }
    }
}
