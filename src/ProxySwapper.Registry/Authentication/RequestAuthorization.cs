using System.Net.Http.Headers;
using ProxySwapper.Registry.Credentials;

namespace ProxySwapper.Registry.Authentication;

/// <summary>The authorization of one request.</summary>
/// <param name="Credential">The credential behind it.</param>
/// <param name="Token">The token, null for Basic.</param>
/// <param name="Key">The token's key in the cache, null for Basic.</param>
internal sealed record RequestAuthorization(RegistryCredential Credential, BearerToken? Token, TokenKey? Key)
{
    /// <summary>True if the token was fetched for this request, so that fetching again would not help.</summary>
    public bool IsFresh { get; init; }

    /// <summary>True if the credential was renewed for this request, so that its source has no better one.</summary>
    public bool IsRenewed { get; init; }

    public AuthenticationHeaderValue? Header => Token is { } token ? new("Bearer", token.Value) : TokenClient.BasicOf(Credential);
}
