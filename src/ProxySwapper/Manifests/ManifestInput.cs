using ProxySwapper.Configuration;
using ProxySwapper.Configuration.Yaml;
using ProxySwapper.Registry;

namespace ProxySwapper.Manifests;

/// <summary>The text of manifests, from a file or from standard input (<c>-</c>), as of <c>helm template</c>.</summary>
/// <param name="Name">The name in messages.</param>
/// <param name="Text">The text.</param>
internal sealed record ManifestInput(string Name, string Text)
{
    private const string StandardInput = "-";
    private const int MaximumSize = 64 * 1024 * 1024;

    /// <exception cref="ConfigurationException">It cannot be read.</exception>
    public static ManifestInput Read(string file)
    {
        if (file != StandardInput)
            return new(file, ConfigurationReader.TextOf(file, MaximumSize));
        const string name = "(standard input)";
        try
        {
            using var input = Console.OpenStandardInput();
            return new(name, TextFile.Read(input, MaximumSize));
        }
        catch (IOException fault)
        {
            throw new ConfigurationException([new(name, 0, 0, "", $"cannot be read: {fault.Message}")]);
        }
    }
}
