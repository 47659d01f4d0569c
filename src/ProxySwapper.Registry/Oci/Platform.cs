using System.Diagnostics.CodeAnalysis;

namespace ProxySwapper.Registry.Oci;

/// <summary>The platform of an image in an index: <c>linux/arm64/v8</c>.</summary>
/// <param name="OperatingSystem">Such as <c>linux</c>.</param>
/// <param name="Architecture">Such as <c>amd64</c>.</param>
/// <param name="Variant">Such as <c>v7</c>, or null.</param>
public sealed record Platform(string OperatingSystem, string Architecture, string? Variant = null)
{
    /// <summary>The version of Windows that an image needs, or null.</summary>
    public string? OperatingSystemVersion { get; init; }

    /// <summary>Parses <c>os/arch</c> or <c>os/arch/variant</c>; false for anything else.</summary>
    public static bool TryParse([NotNullWhen(true)] string? text, [NotNullWhen(true)] out Platform? platform)
    {
        platform = (text ?? "").Split('/') switch
        {
            [{ Length: > 0 } os, { Length: > 0 } architecture] => new Platform(os, architecture),
            [{ Length: > 0 } os, { Length: > 0 } architecture, { Length: > 0 } variant] => new Platform(os, architecture, variant),
            _ => null,
        };
        return platform is not null;
    }

    /// <summary>
    /// True if this platform, as requested by a user, matches one declared in an index: a variant that was not requested is ignored, and
    /// arm64 is the same with and without v8.
    /// </summary>
    public bool IsMatch(Platform declared) =>
        OperatingSystem == declared.OperatingSystem
        && Architecture == declared.Architecture
        && (Variant is null || Variant == declared.Variant || Architecture == "arm64" && Variant == "v8" && declared.Variant is null);

    /// <summary><c>os/arch</c> or <c>os/arch/variant</c>.</summary>
    public override string ToString() =>
        Variant is null ? $"{OperatingSystem}/{Architecture}" : $"{OperatingSystem}/{Architecture}/{Variant}";
}
