using System.Text.RegularExpressions;
using ProxySwapper.Configuration;
using ProxySwapper.Patterns;
using ProxySwapper.Registry;
using ProxySwapper.Registry.Oci;

namespace ProxySwapper.Population.Work;

/// <summary>
/// A <c>patternEcrProxyCache</c>: images whose path names the upstream that they come from. Its five groups are registry, prefix,
/// upstream host, image and tag. Such patterns were written for tags and take a digest apart at its colon, so they are shown the image
/// without its digest, and the digest goes to the upstream's reference as it is.
/// </summary>
internal sealed class ProxyCachePattern
{
    private const int UpstreamGroup = 3;
    private const int ImageGroup = 4;

    private readonly Regex _pattern;

    private ProxyCachePattern(Regex pattern, Platform? platform) => (_pattern, Platform) = (pattern, platform);

    /// <summary>The platform to take, or null for what holds generally.</summary>
    public Platform? Platform { get; }

    public static ProxyCachePattern Compile(ProxyCacheOptions options) =>
        new(
            SafeRegex.Compile(options.PatternEcrProxyCache!, out var fault) ?? throw new ArgumentException(fault, nameof(options)),
            options.Platform
        );

    /// <summary>Where an image comes from, or null when it is none of these.</summary>
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
