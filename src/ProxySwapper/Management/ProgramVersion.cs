using System.Reflection;

namespace ProxySwapper.Management;

/// <summary>The version and commit that the build wrote into the assembly: <c>1.2.3+COMMIT</c>.</summary>
internal static class ProgramVersion
{
    /// <returns>The version, and the commit or <c>unknown</c>.</returns>
    public static (string Version, string Commit) Read()
    {
        var text = typeof(ProgramVersion).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion ?? "";
        return text.Split('+', 2) is [var version, var commit] ? (version, commit) : (text, "unknown");
    }
}
