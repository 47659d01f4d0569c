using System.Text;
using ProxySwapper.Registry;

namespace ProxySwapper.Kubernetes.Connection;

/// <summary>PEM text in a kubeconfig itself, or in a file that may change at runtime.</summary>
internal sealed class PemSource
{
    private readonly string? _file;
    private readonly string? _text;

    private PemSource(string? file, string? text) => (_file, _text) = (file, text);

    public static PemSource OfFile(string file) => new(file, null);

    /// <summary>PEM text in Base64, the format of kubeconfig keys that end with <c>-data</c>.</summary>
    /// <exception cref="FormatException">The text is not valid Base64.</exception>
    public static PemSource OfBase64(string base64) => new(null, Encoding.UTF8.GetString(Convert.FromBase64String(base64)));

    public string Read()
    {
        if (_file is null)
            return _text!;
        try
        {
            return TextFile.Read(_file);
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            throw new KubernetesConnectionException($"{_file} cannot be read: {fault.Message}", fault);
        }
    }
}
