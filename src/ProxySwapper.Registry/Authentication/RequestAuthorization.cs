using System.Net.Http.Headers;
using ProxySwapper.Registry.Credentials;

namespace ProxySwapper.Registry.Authentication;

/// <summary>What one request is let in with.</summary>
/// <param name="Credential">The credential behind it.</param>
/// <param name="Token">The token, null with Basic.</param>
/// <param name="Key">The token's key in the cache, null with Basic.</param>
internal sealed record RequestAuthorization(RegistryCredential Credential, BearerToken? Token, TokenKey? Key)
{
    /// <summary>The token was fetched for this very request: another fetch would give no better one.</summary>
    public bool IsFresh { get; init; }

    /// <summary>The credential was renewed for this very request: its source has no better one.</summary>
    public bool IsRenewed { get; init; }

    public AuthenticationHeaderValue? Header => Token is { } token ? new("Bearer", token.Value) : TokenClient.BasicOf(Credential);
}
