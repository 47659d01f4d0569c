using System.Text;
using ProxySwapper.Registry;

namespace ProxySwapper.Kubernetes.Connection;

/// <summary>PEM text in a kubeconfig itself, or in a file that may change at runtime.</summary>
internal sealed class PemSource
{
    private readonly string _place;
    private readonly string? _text;

    private PemSource(string place, string? text) => (_place, _text) = (place, text);

    public static PemSource OfFile(string file) => new(file, null);

    /// <summary>PEM text in Base64, the format of kubeconfig keys that end with <c>-data</c>.</summary>
    /// <param name="base64">The value.</param>
    /// <param name="place">Its key, for messages.</param>
    /// <exception cref="FormatException">The text is not valid Base64.</exception>
    public static PemSource OfBase64(string base64, string place) => new(place, Encoding.UTF8.GetString(Convert.FromBase64String(base64)));

    /// <exception cref="KubernetesConnectionException">The file cannot be read.</exception>
    public string Read()
    {
        if (_text is not null)
            return _text;
        try
        {
            return TextFile.Read(_place);
        }
        catch (Exception fault) when (fault is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new KubernetesConnectionException($"{_place} does not exist", fault);
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            throw new KubernetesConnectionException($"{_place} cannot be read: {fault.Message}", fault);
        }
    }

    /// <summary>The file, or the key.</summary>
    public override string ToString() => _place;
}
