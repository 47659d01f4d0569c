using System.Diagnostics.CodeAnalysis;

namespace ProxySwapper.Registry.Oci;

/// <summary>An operating system and a processor that an image runs on, as an index names it: <c>linux/arm64/v8</c>.</summary>
/// <param name="OperatingSystem">For instance <c>linux</c>.</param>
/// <param name="Architecture">For instance <c>amd64</c>.</param>
/// <param name="Variant">For instance <c>v7</c>, or null.</param>
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
    /// True when this platform, as a person asks for it, takes that one, as an index declares it: a variant that was not
    /// asked for is not looked at, and arm64 is the same with and without v8.
    /// </summary>
    public bool IsMatch(Platform declared) =>
        OperatingSystem == declared.OperatingSystem
        && Architecture == declared.Architecture
        && (Variant is null || Variant == declared.Variant || Architecture == "arm64" && Variant == "v8" && declared.Variant is null);

    /// <summary><c>os/arch</c> or <c>os/arch/variant</c>.</summary>
    public override string ToString() =>
        Variant is null ? $"{OperatingSystem}/{Architecture}" : $"{OperatingSystem}/{Architecture}/{Variant}";
}
