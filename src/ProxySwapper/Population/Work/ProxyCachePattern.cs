using System.Text.RegularExpressions;
using ProxySwapper.Configuration;
using ProxySwapper.Patterns;
using ProxySwapper.Registry;
using ProxySwapper.Registry.Oci;

namespace ProxySwapper.Population.Work;

/// <summary>
/// A <c>patternEcrProxyCache</c>: images whose path contains their upstream. Its five groups are registry, prefix, upstream host, image and
/// tag. Such patterns were written for tags and would split a digest at its colon, so they are matched without the digest, which is then
/// appended to the upstream reference.
/// </summary>
internal sealed class ProxyCachePattern
{
    private const int UpstreamGroup = 3;
    private const int ImageGroup = 4;

    private readonly Regex _pattern;

    private ProxyCachePattern(Regex pattern, Platform? platform) => (_pattern, Platform) = (pattern, platform);

    /// <summary>The platform to copy, or null for the general setting.</summary>
    public Platform? Platform { get; }

    public static ProxyCachePattern Compile(ProxyCacheOptions options) =>
        new(
            SafeRegex.Compile(options.PatternEcrProxyCache!, out var fault) ?? throw new ArgumentException(fault, nameof(options)),
            options.Platform
        );

    /// <summary>The upstream image, or null if the pattern does not match.</summary>
    public ImageReference? UpstreamOf(ImageReference image)
    {
        var match = _pattern.Match(image.Tag is { } tag ? $"{image.Name}:{tag}" : image.Name);
        if (!match.Success)
            return null;
        var suffix = (image.Tag, image.Digest) switch
        {
            (null, null) => "",
            ({ } only, null) => $":{only}",
            (null, { } digest) => $"@{digest}",
            ({ } both, { } digest) => $":{both}@{digest}",
        };
        return ImageReference.TryParse($"{match.Groups[UpstreamGroup].Value}/{match.Groups[ImageGroup].Value}{suffix}", out var upstream)
            ? upstream.WithDefaultTag()
            : null;
    }
}
