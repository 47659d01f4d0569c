using System.Diagnostics.CodeAnalysis;
using System.Text.RegularExpressions;
using ProxySwapper.Configuration;
using ProxySwapper.Registry;
using ProxySwapper.Registry.Protocol;

namespace ProxySwapper.Population;

/// <summary>
/// A <c>regexURL</c>: images that a pull-through cache brings, with the URLs of their manifests there. Such patterns were written for
/// tags and take a digest apart at its colon, so they are shown the tag alone, and the digest takes its place in the URL afterwards.
/// </summary>
internal sealed class WarmUpPattern
{
    private const string ManifestsSegment = "/manifests/";

    private readonly Regex _pattern;
    private readonly ProxyCacheOptions _options;

    private WarmUpPattern(Regex pattern, ProxyCacheOptions options) => (_pattern, _options) = (pattern, options);

    public static WarmUpPattern Compile(ProxyCacheOptions options) =>
        new(PatternText.Compile(options.RegexUrl!, out var fault) ?? throw new ArgumentException(fault, nameof(options)), options);

    /// <summary>What is wrong with a manifest's URL as a block has it, or null.</summary>
    public static string? FaultOf(string replacement) => TrySplit(replacement, out _, out _, out _)
        ? null
        : "must be the URL of a manifest, such as https://harbor.example.com/v2/$1/$2/manifests/$3";

    /// <summary>The warm-up that an image needs, or null when it is none of these.</summary>
    /// <param name="image">The image, normalised.</param>
    /// <param name="asWritten">The image as the Pod has it, which a pattern for short names may take.</param>
    public WarmUpWork? WorkFor(ImageReference image, string asWritten)
    {
        var match = _pattern.Match($"{image.Name}:{image.Tag ?? "latest"}");
        if (!match.Success && image.Digest is null) match = _pattern.Match(asWritten);
        if (!match.Success || !TrySplit(match.Result(_options.ReplacementOci!), out var host, out var repository, out var reference)) return null;
        var name = $"{host}/{repository}";
        var text = image.Digest is { } digest ? $"{name}@{digest}" : Digest.TryParse(reference, out _) ? $"{name}@{reference}" : $"{name}:{reference}";
        if (!ImageReference.TryParse(text, out var target)) return null;
        var children = repository;
        if (_options.ReplacementArch is { Length: > 0 } arch
            && TrySplit(match.Result(arch), out var childHost, out var childRepository, out _) && childHost == host)
            children = childRepository;
        return new WarmUpWork(target, children, new Platform(_options.TargetOs, _options.TargetArch));
    }

    private static bool TrySplit(
        string url, [NotNullWhen(true)] out string? host, [NotNullWhen(true)] out string? repository, [NotNullWhen(true)] out string? reference)
    {
        (host, repository, reference) = (null, null, null);
        var start = url.IndexOf("://", StringComparison.Ordinal);
        if (start < 0 || url[..start] is not ("https" or "http")) return false;
        var rest = url[(start + 3)..];
        var path = rest.IndexOf("/v2/", StringComparison.Ordinal);
        var manifests = rest.LastIndexOf(ManifestsSegment, StringComparison.Ordinal);
        if (path <= 0 || rest.IndexOf('/', StringComparison.Ordinal) != path || manifests < path + 4) return false;
        host = rest[..path];
        repository = rest[(path + 4)..manifests];
        reference = rest[(manifests + ManifestsSegment.Length)..];
        return repository.Length > 0 && reference.Length > 0;
    }
}
