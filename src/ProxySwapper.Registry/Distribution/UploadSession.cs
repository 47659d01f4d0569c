using System.Globalization;
using ProxySwapper.Registry.Transport;

namespace ProxySwapper.Registry.Distribution;

/// <summary>An upload session.</summary>
/// <param name="Address">Where it continues: the latest <c>Location</c>.</param>
/// <param name="ChunkMinLength">The registry's minimum chunk size, or 0 if unspecified.</param>
internal sealed record UploadSession(Uri Address, long ChunkMinLength)
{
    /// <summary>The session that a response opens or offers; null without a Location.</summary>
    /// <exception cref="RegistryException">The location is not allowed.</exception>
    public static UploadSession? Of(RegistryResponse response, RegistryRequest request) =>
        LocationOf(response, request) is { } address
            ? new UploadSession(
                address,
                long.TryParse(response.Header("OCI-Chunk-Min-Length"), NumberStyles.None, CultureInfo.InvariantCulture, out var minimum)
                    ? minimum
                    : 0
            )
            : null;

    /// <summary>The session after a step, which may have moved it.</summary>
    /// <exception cref="RegistryException">The location is not allowed.</exception>
    public UploadSession After(RegistryResponse response, RegistryRequest request) =>
        LocationOf(response, request) is { } next ? this with { Address = next } : this;

    /// <summary>The URL that completes it: the digest is added to the existing query.</summary>
    public Uri ToFinish(Digest digest)
    {
        var separator =
            Address.Query.Length > 1 ? "&"
            : Address.Query.Length == 1 ? ""
            : "?";
        return new Uri($"{Address.AbsoluteUri}{separator}digest={Uri.EscapeDataString(digest.ToString())}");
    }

    /// <summary>
    /// Registries behind a proxy do not know their own scheme and port: on the same host, ours are used. Another host is allowed if a
    /// redirect to it would be.
    /// </summary>
    private static Uri? LocationOf(RegistryResponse response, RegistryRequest request)
    {
        if (response.Location is not { } location)
            return null;
        var own = response.Address;
        if (location.IsAbsoluteUri && location.IdnHost.Equals(own.IdnHost, StringComparison.OrdinalIgnoreCase))
            return new UriBuilder(location) { Scheme = own.Scheme, Port = own.Port }.Uri;
        if (RedirectingSender.RefusalOf(own, location) is { } refusal)
            throw request.Fault(response.Status, $"its upload Location is {location.Scheme}://{location.Authority}, {refusal}");
        return location;
    }
}
