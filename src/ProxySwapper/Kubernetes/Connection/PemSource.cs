using System.Text;

namespace ProxySwapper.Kubernetes.Connection;

/// <summary>PEM text in a kubeconfig itself, or in a file that may change at runtime.</summary>
internal sealed class PemSource
{
    /// <summary>Size limit of a file, in bytes.</summary>
    private const int MaximumLength = 4 * 1024 * 1024;

    private readonly string? _file;
    private readonly string? _text;

    private PemSource(string? file, string? text) => (_file, _text) = (file, text);

    public static PemSource OfFile(string file) => new(file, null);

    /// <summary>PEM text in Base64, the format of kubeconfig keys that end with <c>-data</c>.</summary>
    /// <exception cref="FormatException">The text is not valid Base64.</exception>
    public static PemSource OfBase64(string base64) => new(null, Encoding.UTF8.GetString(Convert.FromBase64String(base64)));

    public async ValueTask<string> ReadAsync(CancellationToken cancellationToken)
    {
        if (_file is null)
            return _text!;
        if (new FileInfo(_file) is { Exists: true, Length: > MaximumLength })
            throw new KubernetesConnectionException($"{_file} is larger than {MaximumLength} bytes.");
        try
        {
            return await File.ReadAllTextAsync(_file, cancellationToken);
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            throw new KubernetesConnectionException($"{_file} cannot be read: {fault.Message}", fault);
        }
    }
}
