using ProxySwapper.Registry.Transport;

namespace ProxySwapper.Registry.Authentication;

/// <summary>Decides which token servers are trusted with a credential.</summary>
internal static class TokenRealm
{
    /// <summary>
    /// The URL of a challenge's realm; null if it must not be used: it must be https, or on the registry's own host if that uses plain
    /// HTTP, and never an address where clouds serve their metadata.
    /// </summary>
    public static Uri? Trusted(string? realm, Uri registry)
    {
        if (!Uri.TryCreate(realm, UriKind.Absolute, out var address) || address.UserInfo.Length > 0)
            return null;
        var isPlain =
            address.Scheme == Uri.UriSchemeHttp
            && registry.Scheme == Uri.UriSchemeHttp
            && address.Host.Equals(registry.Host, StringComparison.OrdinalIgnoreCase);
        return (isPlain || address.Scheme == Uri.UriSchemeHttps) && !MetadataAddress.IsMatch(address) ? address : null;
    }

    /// <summary>A realm for error messages: without query and user info, which may contain secrets.</summary>
    public static string Describe(string? realm) =>
        Uri.TryCreate(realm, UriKind.Absolute, out var address)
            ? $"{address.Scheme}://{address.Authority}{address.AbsolutePath}"
            : "(its realm is not a URL)";
}
