using System.Globalization;
using ProxySwapper.Registry.Transport;

namespace ProxySwapper.Registry.Distribution;

/// <summary>An upload that a registry opened.</summary>
/// <param name="Address">Where it goes on: the newest <c>Location</c>.</param>
/// <param name="ChunkMinLength">The smallest chunk that the registry takes, 0 when it did not say.</param>
internal sealed record UploadSession(Uri Address, long ChunkMinLength)
{
    /// <summary>The session that a response opens or offers; null when it says no location.</summary>
    /// <exception cref="RegistryException">The location is one that nothing is sent to.</exception>
    public static UploadSession? Of(RegistryResponse response, RegistryRequest request) =>
        LocationOf(response, request) is { } address
            ? new UploadSession(
                address,
                long.TryParse(response.Header("OCI-Chunk-Min-Length"), NumberStyles.None, CultureInfo.InvariantCulture, out var minimum)
                    ? minimum
                    : 0
            )
            : null;

    /// <summary>Where the session is to be found after a step, which may have moved it.</summary>
    /// <exception cref="RegistryException">The location is one that nothing is sent to.</exception>
    public UploadSession After(RegistryResponse response, RegistryRequest request) =>
        LocationOf(response, request) is { } next ? this with { Address = next } : this;

    /// <summary>The address that ends it: the digest is added to whatever query there is.</summary>
    public Uri ToFinish(Digest digest)
    {
        var separator =
            Address.Query.Length > 1 ? "&"
            : Address.Query.Length == 1 ? ""
            : "?";
        return new Uri($"{Address.AbsoluteUri}{separator}digest={Uri.EscapeDataString(digest.ToString())}");
    }

    /// <summary>
    /// Registries behind a proxy do not know by which scheme and port they are reached: on the same host, ours count. Another host is
    /// taken where a redirect to it would be.
    /// </summary>
    private static Uri? LocationOf(RegistryResponse response, RegistryRequest request)
    {
        if (response.Location is not { } location)
            return null;
        var own = response.Address;
        if (location.IsAbsoluteUri && location.IdnHost.Equals(own.IdnHost, StringComparison.OrdinalIgnoreCase))
            return new UriBuilder(location) { Scheme = own.Scheme, Port = own.Port }.Uri;
        if (RedirectingSender.RefusalOf(own, location) is { } refusal)
            throw request.Fault(response.Status, $"it sends the upload to {location.Scheme}://{location.Authority}, {refusal}");
        return location;
    }
}
