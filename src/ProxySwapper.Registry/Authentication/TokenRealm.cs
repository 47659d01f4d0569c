using ProxySwapper.Registry.Transport;

namespace ProxySwapper.Registry.Authentication;

/// <summary>Decides which token servers are trusted with a credential.</summary>
internal static class TokenRealm
{
    /// <summary>
    /// Why a challenge's realm must not be used; null if it may: it must be https, or on the registry's own host if that uses plain HTTP,
    /// and never an address where clouds serve their metadata.
    /// </summary>
    public static string? Validate(string? realm, Uri registry)
    {
        if (!Uri.TryCreate(realm, UriKind.Absolute, out var address))
            return "is not an absolute URL";
        var isPlain =
            address.Scheme == Uri.UriSchemeHttp
            && registry.Scheme == Uri.UriSchemeHttp
            && address.Host.Equals(registry.Host, StringComparison.OrdinalIgnoreCase);
        if (!isPlain && address.Scheme != Uri.UriSchemeHttps)
            return "is neither an https URL nor on the registry's own host";
        if (address.UserInfo.Length > 0)
            return "has user info in its URL";
        return MetadataAddress.IsMatch(address) ? "is a link-local or cloud metadata address" : null;
    }

    /// <summary>A realm for error messages: without query and user info, which may contain secrets.</summary>
    public static string Describe(string? realm)
    {
        if (string.IsNullOrWhiteSpace(realm))
            return "(its challenge has no realm)";
        if (Uri.TryCreate(realm, UriKind.Absolute, out var address) && address.Scheme is "https" or "http")
            return $"{address.Scheme}://{address.Authority}{address.AbsolutePath}";
        // As it was sent: a path alone would become the URL of a file.
        var end = realm.AsSpan().IndexOfAny('?', '#');
        var shown = end < 0 ? realm : realm[..end];
        var (host, user) = (shown.IndexOf("//", StringComparison.Ordinal) + 2, shown.LastIndexOf('@') + 1);
        return host > 1 && host < user ? shown[..host] + shown[user..] : shown[user..];
    }
}
