using System.Text.RegularExpressions;
using ProxySwapper.Configuration;
using ProxySwapper.Patterns;
using ProxySwapper.Registry;
using ProxySwapper.Registry.Oci;

namespace ProxySwapper.Population.Work;

/// <summary>
/// A <c>regexURL</c>: images served by a pull-through cache, with the URLs of their manifests there. Such patterns were written for tags
/// and would split a digest at its colon, so they are matched with the tag only, which the digest then replaces in the URL.
/// </summary>
internal sealed class WarmUpPattern
{
    private readonly Regex _pattern;
    private readonly ProxyCacheOptions _options;

    private WarmUpPattern(Regex pattern, ProxyCacheOptions options) => (_pattern, _options) = (pattern, options);

    public static WarmUpPattern Compile(ProxyCacheOptions options) =>
        new(SafeRegex.Compile(options.RegexUrl!, out var fault) ?? throw new ArgumentException(fault, nameof(options)), options);

    /// <summary>The warm-up for an image, or null if the pattern does not match.</summary>
    /// <param name="image">The image, normalised.</param>
    /// <param name="asWritten">The image as written in the Pod, which a pattern for short names may match.</param>
    public WarmUpWork? WorkFor(ImageReference image, string asWritten)
    {
        var match = _pattern.Match($"{image.Name}:{image.Tag ?? "latest"}");
        if (!match.Success && image.Digest is null)
            match = _pattern.Match(asWritten);
        if (
            !match.Success
            || !ManifestUrl.TrySplit(match.Result(_options.ReplacementOci!), out var host, out var repository, out var reference)
        )
            return null;
        var name = $"{host}/{repository}";
        var text =
            image.Digest is { } digest ? $"{name}@{digest}"
            : Digest.TryParse(reference, out _) ? $"{name}@{reference}"
            : $"{name}:{reference}";
        if (!ImageReference.TryParse(text, out var target))
            return null;
        var children = repository;
        if (
            _options.ReplacementArch is { Length: > 0 } arch
            && ManifestUrl.TrySplit(match.Result(arch), out var childHost, out var childRepository, out _)
            && childHost == host
        )
            children = childRepository;
        return new WarmUpWork(target, children, new Platform(_options.TargetOs, _options.TargetArch));
    }
}
