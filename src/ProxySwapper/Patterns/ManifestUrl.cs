using System.Diagnostics.CodeAnalysis;

namespace ProxySwapper.Patterns;

/// <summary>The URL of a manifest at a registry: <c>https://HOST/v2/REPOSITORY/manifests/REFERENCE</c>.</summary>
internal static class ManifestUrl
{
    private const string ManifestsSegment = "/manifests/";

    /// <summary>What is wrong with the URL of a <c>proxyCaches</c> block, or null.</summary>
    public static string? Validate(string url) =>
        TrySplit(url, out _, out _, out _)
            ? null
            : "must be the URL of a manifest, such as https://harbor.example.com/v2/$1/$2/manifests/$3";

    public static bool TrySplit(
        string url,
        [NotNullWhen(true)] out string? host,
        [NotNullWhen(true)] out string? repository,
        [NotNullWhen(true)] out string? reference
    )
    {
        (host, repository, reference) = (null, null, null);
        var start = url.IndexOf("://", StringComparison.Ordinal);
        if (start < 0 || url[..start] is not ("https" or "http"))
            return false;
        var rest = url[(start + 3)..];
        var path = rest.IndexOf("/v2/", StringComparison.Ordinal);
        var manifests = rest.LastIndexOf(ManifestsSegment, StringComparison.Ordinal);
        if (path <= 0 || rest.IndexOf('/', StringComparison.Ordinal) != path || manifests < path + 4)
            return false;
        host = rest[..path];
        repository = rest[(path + 4)..manifests];
        reference = rest[(manifests + ManifestsSegment.Length)..];
        return repository.Length > 0 && reference.Length > 0;
    }
}
