using System.Buffers.Text;
using System.Net;
using System.Text.Json;
using ProxySwapper.Registry.Credentials;
using ProxySwapper.Registry.Distribution;
using ProxySwapper.Registry.Transport;

namespace ProxySwapper.Registry.Clouds.Azure;

/// <summary>
/// Exchanges an Entra token for a registry's own refresh token, at <c>/oauth2/exchange</c> of the registry
/// (<see href="https://azure.github.io/acr/AAD-OAuth.html#calling-post-oauth2-exchange-to-get-an-acr-refresh-token"/>).
/// </summary>
internal sealed class AzureTokenExchange(RegistryClients clients, TimeProvider time)
{
    private const int MaximumResponseBytes = 256 * 1024;
    private const int MaximumRetries = 2;

    /// <summary>The lifetime of a refresh token without an expiry.</summary>
    private static readonly TimeSpan UnknownLifetime = TimeSpan.FromMinutes(10);

    private static readonly RegistryOptions Retries = new() { MaxRetries = MaximumRetries, MaxRetryDelay = TimeSpan.FromSeconds(10) };

    /// <exception cref="RegistryCredentialException">The registry returned an error or could not be reached.</exception>
    public async Task<RenewableCredential> ExchangeAsync(
        RegistryName registry,
        string accessToken,
        string? tenant,
        CancellationToken cancellationToken
    )
    {
        var schedule = new RetrySchedule(Retries);
        while (true)
        {
            try
            {
                return await ExchangeOnceAsync(clients.HostOf(registry), accessToken, tenant, cancellationToken);
            }
            catch (RegistryException fault)
            {
                if (!fault.IsTransient || schedule.Next(fault.RetryAfter) is not { } pause)
                    throw new RegistryCredentialException($"azure: cannot get a refresh token: {fault.Message}", fault);
                await Task.Delay(pause, time, cancellationToken);
            }
        }
    }

    /// <summary>
    /// The expiry in a JWT (<see href="https://www.rfc-editor.org/rfc/rfc7519#section-4.1.4">RFC 7519, exp</see>), which is read but not
    /// trusted.
    /// </summary>
    internal static DateTimeOffset? EndOf(string token)
    {
        if (token.Split('.') is not [_, var payload, _])
            return null;
        try
        {
            using var claims = JsonDocument.Parse(Base64Url.DecodeFromChars(payload));
            return DateTimeOffset.UnixEpoch.AddSeconds(claims.RootElement.GetProperty("exp").GetDouble());
        }
        catch (Exception fault)
            when (fault
                    is FormatException
                        or JsonException
                        or KeyNotFoundException
                        or InvalidOperationException
                        or ArgumentOutOfRangeException
            )
        {
            return null;
        }
    }

    private async Task<RenewableCredential> ExchangeOnceAsync(
        RegistryHost host,
        string accessToken,
        string? tenant,
        CancellationToken cancellationToken
    )
    {
        var form = new Dictionary<string, string>
        {
            ["grant_type"] = "access_token",
            ["service"] = host.Name.Text,
            ["access_token"] = accessToken,
        };
        if (!string.IsNullOrEmpty(tenant))
            form["tenant"] = tenant;
        var request = new RegistryRequest(
            HttpMethod.Post,
            host.Name,
            "",
            new Uri(await host.AddressAsync(cancellationToken), "oauth2/exchange")
        )
        {
            Content = _ => new FormUrlEncodedContent(form),
            Expected = [HttpStatusCode.OK],
            // The body contains a token, so no redirect is followed.
            IsRepeatable = false,
            Secrets = new(accessToken),
        };
        using var response = await host.Sender.SendAsync(request, null, cancellationToken);
        if (response.Status != HttpStatusCode.OK)
            throw await ErrorResponseReader.ReadAsync(response, request, null, time, cancellationToken);
        try
        {
            using var document = JsonDocument.Parse(await response.ReadBodyAsync(MaximumResponseBytes, cancellationToken));
            if (document.RootElement.GetProperty("refresh_token").GetString() is not { Length: > 0 } token)
                throw new JsonException("no token");
            return new RenewableCredential(RegistryCredential.Identity(token), EndOf(token) ?? time.GetUtcNow() + UnknownLifetime);
        }
        catch (Exception fault) when (fault is JsonException or KeyNotFoundException or InvalidOperationException or InvalidDataException)
        {
            // The response is not quoted, since it may contain part of a token.
            throw request.Fault(response.Status, "the response does not have the format of Azure's registries");
        }
        catch (IOException fault)
        {
            throw request.Fault(response.Status, "the response ended early", fault, transient: true);
        }
    }
}
