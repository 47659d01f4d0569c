namespace ProxySwapper.Configuration;

/// <summary>Reads the configuration file, lays the environment over it and checks the whole.</summary>
internal static class ConfigurationReader
{
    /// <summary>The options of a file; with no file, those of the environment alone.</summary>
    /// <param name="file">The file's path, or null.</param>
    /// <param name="environment">Reads a variable: <c>PROXY_URL</c> and <c>PROXYSWAPPER_…</c>.</param>
    /// <exception cref="ConfigurationException">Something is wrong; all of it is told.</exception>
    public static ProxySwapperOptions Read(string? file, Func<string, string?> environment) =>
        throw new NotImplementedException($"{file} {environment}");
}
