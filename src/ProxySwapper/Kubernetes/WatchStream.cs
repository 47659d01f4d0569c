using System.Buffers;
using System.Text.Json;
using System.Threading.Channels;

namespace ProxySwapper.Kubernetes;

/// <summary>Why a stream of a watch ended.</summary>
internal enum WatchStreamEnd
{
    /// <summary>The server ended it, as it does at its timeout: the watch continues from the same place.</summary>
    Completed,

    /// <summary>The server no longer has the requested version (410): everything must be listed.</summary>
    Expired,

    /// <summary>The server sent another error event: everything must be listed.</summary>
    Failed,

    /// <summary>Events were not consumed in time and one was lost: everything must be listed.</summary>
    Overflowed,
}

/// <summary>Reads the lines of one watch request into a channel, waiting only for the server.</summary>
internal sealed class WatchStream<T>(
    StreamedResponse response,
    Func<JsonElement, T> read,
    ChannelWriter<WatchEvent<T>> events,
    string resourceVersion
)
{
    /// <summary>Size limit of a line, in bytes: the API server's limit for an object is below 3 MiB.</summary>
    private const int MaximumLine = 16 * 1024 * 1024;

    private const int Gone = 410;

    /// <summary>The resource version from which the watch continues after this stream.</summary>
    public string ResourceVersion { get; private set; } = resourceVersion;

    /// <summary>Whether the server sent anything but an error.</summary>
    public bool HasEvents { get; private set; }

    /// <summary>The message of an error event, or null.</summary>
    public string? Error { get; private set; }

    /// <summary>Reads until the stream ends.</summary>
    /// <exception cref="KubernetesException">It ended early, stalled, or is not a watch.</exception>
    public async Task<WatchStreamEnd> ReadAsync()
    {
        while (true)
        {
            var result = await response.ReadAsync();
            var rest = result.Buffer;
            try
            {
                while (TryReadLine(ref rest, out var line))
                    if (Take(line) is { } end)
                        return end;
            }
            // Half of a surrogate pair is JSON but not text, and numbers may be out of range.
            catch (Exception problem)
                when (problem is JsonException or InvalidOperationException or FormatException or KeyNotFoundException)
            {
                throw response.Error($"the response is not a watch: {problem.Message}", problem);
            }
            if (rest.Length > MaximumLine)
                throw response.Error($"an event is larger than {MaximumLine / 1024 / 1024} MiB");
            response.AdvanceTo(rest.Start, rest.End);
            if (result.IsCompleted)
                return WatchStreamEnd.Completed;
        }
    }

    private static bool TryReadLine(ref ReadOnlySequence<byte> rest, out ReadOnlySequence<byte> line)
    {
        if (rest.PositionOf((byte)'\n') is not { } end)
        {
            line = default;
            return false;
        }
        line = rest.Slice(0, end);
        rest = rest.Slice(rest.GetPosition(1, end));
        return true;
    }

    /// <summary>Handles one event; returns an end if the stream must not be read further.</summary>
    private WatchStreamEnd? Take(in ReadOnlySequence<byte> text)
    {
        if (text.IsEmpty)
            return null;
        using var line = WatchLine.Parse(text);
        if (line.Type == "ERROR")
        {
            Error = $"{line.ErrorMessage} (code {line.ErrorCode})";
            return line.ErrorCode == Gone ? WatchStreamEnd.Expired : WatchStreamEnd.Failed;
        }
        WatchEventKind? kind = line.Type switch
        {
            "ADDED" => WatchEventKind.Added,
            "MODIFIED" => WatchEventKind.Modified,
            "DELETED" => WatchEventKind.Deleted,
            _ => null,
        };
        if (kind is { } known && !events.TryWrite(new WatchEvent<T>(known, read(line.Object))))
            return WatchStreamEnd.Overflowed;
        HasEvents = true;
        ResourceVersion = line.ResourceVersion ?? ResourceVersion;
        return null;
    }
}

/// <summary>
/// One line of a watch's response: <c>{"type":…,"object":…}</c>
/// (<see href="https://kubernetes.io/docs/reference/using-api/api-concepts/#efficient-detection-of-changes">API concepts, Watch</see>).
/// </summary>
internal readonly struct WatchLine : IDisposable
{
    private readonly JsonDocument _document;

    private WatchLine(JsonDocument document) => _document = document;

    /// <summary><c>ADDED</c>, <c>MODIFIED</c>, <c>DELETED</c>, <c>BOOKMARK</c> or <c>ERROR</c>.</summary>
    public string Type => _document.RootElement.TextOrEmpty("type");

    /// <summary>The object; of a bookmark only its resource version, of an error a Status.</summary>
    public JsonElement Object => _document.RootElement.Member("object");

    /// <summary>The resource version to continue from after this line, or null.</summary>
    public string? ResourceVersion => Object.Text("metadata", "resourceVersion");

    /// <summary>The code of an error's Status.</summary>
    public int ErrorCode =>
        Object.Member("code") is { ValueKind: JsonValueKind.Number } code && code.TryGetInt32(out var number) ? number : 0;

    /// <summary>The message of an error's Status.</summary>
    public string ErrorMessage => Object.TextOrEmpty("message");

    /// <summary>Parses a line.</summary>
    /// <exception cref="JsonException">The line is not such an object.</exception>
    public static WatchLine Parse(in ReadOnlySequence<byte> text)
    {
        var line = new WatchLine(JsonDocument.Parse(text));
        if (line.Object.ValueKind == JsonValueKind.Object && line.Type.Length > 0)
            return line;
        line.Dispose();
        throw new JsonException("each line must be an object with type and object");
    }

    public void Dispose() => _document.Dispose();
}
