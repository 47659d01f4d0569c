using ProxySwapper.Configuration.Yaml;

namespace ProxySwapper.Kubernetes.Connection;

/// <summary>A section of a kubeconfig.</summary>
/// <param name="Keys">Its keys.</param>
/// <param name="File">The file that contains it.</param>
internal sealed record KubeconfigSection(YamlSection Keys, string File)
{
    /// <summary>The text of a key; null, with a fault, if there is none.</summary>
    /// <param name="key">The key.</param>
    /// <param name="meaning">What it is, for the fault.</param>
    public string? Required(string key, string meaning)
    {
        var text = Keys.String(key);
        if (!string.IsNullOrWhiteSpace(text))
            return text;
        // A value that is not text is a fault already.
        if (text is not null || !Keys.Has(key))
            Keys.Fault(key, $"is required: {meaning}");
        return null;
    }

    /// <summary>The file that a key names, relative to this one; null without the key.</summary>
    public string? Path(string key) => Keys.String(key) is { Length: > 0 } && Keys.Path(key) is { } path ? Resolve(path) : null;

    /// <summary>A path, relative to this file.</summary>
    public string Resolve(string path) =>
        System.IO.Path.GetFullPath(path, System.IO.Path.GetDirectoryName(System.IO.Path.GetFullPath(File))!);

    /// <summary>PEM in a key that ends with <c>-data</c>, or in a file; null without both keys.</summary>
    /// <param name="key">The key of the file.</param>
    /// <param name="validate">Returns what is wrong with the text, or null. A file is validated by the code that reads it.</param>
    public PemSource? Pem(string key, Func<string, string?>? validate = null)
    {
        var dataKey = $"{key}-data";
        if (Keys.String(dataKey) is not { Length: > 0 } data)
            return Path(key) is { } file ? PemSource.OfFile(file) : null;
        try
        {
            var source = PemSource.OfBase64(data, $"{File}: {Keys.Place}.{dataKey}");
            if (validate?.Invoke(source.Read()) is { } fault)
                Keys.Fault(dataKey, fault);
            return source;
        }
        catch (FormatException)
        {
            Keys.Fault(dataKey, "must be PEM in Base64");
            return null;
        }
    }
}
