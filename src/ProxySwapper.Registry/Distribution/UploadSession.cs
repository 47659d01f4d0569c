namespace ProxySwapper.Registry.Distribution;

/// <summary>An upload that a registry opened.</summary>
/// <param name="Address">Where it goes on: the newest <c>Location</c>.</param>
/// <param name="ChunkMinLength">The smallest chunk that the registry takes, 0 when it did not say.</param>
internal sealed record UploadSession(Uri Address, long ChunkMinLength)
{
    /// <summary>The address that ends it: the digest is added to whatever query there is.</summary>
    public Uri ToFinish(Digest digest)
    {
        var separator =
            Address.Query.Length > 1 ? "&"
            : Address.Query.Length == 1 ? ""
            : "?";
        return new Uri($"{Address.AbsoluteUri}{separator}digest={Uri.EscapeDataString(digest.ToString())}");
    }
}
