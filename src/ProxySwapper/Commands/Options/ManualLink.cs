using ProxySwapper.Management;

namespace ProxySwapper.Commands.Options;

/// <summary>Addresses of the manual of this version, which a terminal can open.</summary>
internal static class ManualLink
{
    /// <summary>Where the project is; the chart names it too.</summary>
    public const string Repository = "https://github.com/proxyswapper/proxyswapper";

    /// <summary>A page in <c>docs/</c>, as it was when this version was tagged.</summary>
    public static string To(string page) => $"{Repository}/blob/v{ProgramVersion.Read().Version}/docs/{page}";
}
