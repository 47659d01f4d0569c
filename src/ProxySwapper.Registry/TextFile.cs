using System.Text;
using System.Text.Unicode;

namespace ProxySwapper.Registry;

/// <summary>
/// Reads text that a user or a volume supplies: never more than a limit, whatever the file says about its size (<c>/dev/zero</c> has none),
/// and only valid UTF-8, or UTF-16 with a byte order mark.
/// </summary>
public static class TextFile
{
    /// <summary>The maximum size of a file with settings or secrets, in bytes.</summary>
    public const int MaximumSize = 4 * 1024 * 1024;

    private const int BufferSize = 64 * 1024;

    /// <param name="path">The file's path.</param>
    /// <param name="maximumSize">The most bytes that it may have; a multiple of one MiB.</param>
    /// <exception cref="IOException">It does not exist, is a directory, is larger, is not valid text or cannot be read.</exception>
    /// <exception cref="UnauthorizedAccessException">This process may not read it.</exception>
    public static string Read(string path, int maximumSize = MaximumSize)
    {
        if (path.Length == 0 || path.Contains('\0', StringComparison.Ordinal))
            throw new IOException("the path is empty, or contains a character that no path has");
        if (Directory.Exists(path))
            throw new IOException("it is a directory");
        using var content = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, bufferSize: 0);
        return Read(content, maximumSize);
    }

    /// <param name="content">What to read to its end.</param>
    /// <param name="maximumSize">The most bytes that it may have; a multiple of one MiB.</param>
    /// <exception cref="IOException">It is larger, is not valid text or cannot be read.</exception>
    public static string Read(Stream content, int maximumSize)
    {
        using var bytes = new MemoryStream();
        var buffer = new byte[BufferSize];
        for (int read; (read = content.Read(buffer)) > 0; bytes.Write(buffer, 0, read))
            if (bytes.Length + read > maximumSize)
                throw new IOException($"it is larger than {maximumSize / 1024 / 1024} MiB");
        bytes.Position = 0;
        try
        {
            return new StreamReader(bytes, new UTF8Encoding(false, throwOnInvalidBytes: true)).ReadToEnd();
        }
        catch (DecoderFallbackException fault)
        {
            throw new IOException($"line {InvalidLine(bytes.GetBuffer().AsSpan(0, (int)bytes.Length))} is not valid UTF-8", fault);
        }
    }

    private static int InvalidLine(ReadOnlySpan<byte> text)
    {
        var line = 1;
        foreach (var range in text.Split((byte)'\n'))
            if (Utf8.IsValid(text[range]))
                line++;
            else
                break;
        return line;
    }
}
