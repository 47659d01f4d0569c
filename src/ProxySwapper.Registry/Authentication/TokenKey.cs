using ProxySwapper.Registry.Credentials;

namespace ProxySwapper.Registry.Authentication;

/// <summary>What a token is good for. The credential is part of it: nobody gets the token of somebody else.</summary>
internal sealed record TokenKey(RegistryCredential Credential, Uri Realm, string? Service, string Scopes)
{
    public IReadOnlyList<string> ScopeNames => Scopes.Split(' ', StringSplitOptions.RemoveEmptyEntries);
}
