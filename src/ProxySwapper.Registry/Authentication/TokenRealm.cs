using ProxySwapper.Registry.Transport;

namespace ProxySwapper.Registry.Authentication;

/// <summary>Which token servers are trusted with a credential.</summary>
internal static class TokenRealm
{
    /// <summary>
    /// The address of a challenge's realm; null where it must not be asked: it has to be https, or on the registry's own host where
    /// that itself is reached by plain HTTP, and no link-local address, since clouds keep their metadata there.
    /// </summary>
    public static Uri? Trusted(string? realm, Uri registry)
    {
        if (!Uri.TryCreate(realm, UriKind.Absolute, out var address) || address.UserInfo.Length > 0)
            return null;
        var isPlain =
            address.Scheme == Uri.UriSchemeHttp
            && registry.Scheme == Uri.UriSchemeHttp
            && address.Host.Equals(registry.Host, StringComparison.OrdinalIgnoreCase);
        return (isPlain || address.Scheme == Uri.UriSchemeHttps) && !LinkLocalAddress.IsMatch(address) ? address : null;
    }

    /// <summary>A realm for an error: without its query and whatever stands before an @, since both may hold secrets.</summary>
    public static string Describe(string? realm) =>
        Uri.TryCreate(realm, UriKind.Absolute, out var address)
            ? $"{address.Scheme}://{address.Authority}{address.AbsolutePath}"
            : "(its realm is not an address)";
}
