using System.Buffers;
using System.Text.Json;

namespace ProxySwapper.Kubernetes;

/// <summary>
/// One line of a watch's response: <c>{"type":…,"object":…}</c>
/// (<see href="https://kubernetes.io/docs/reference/using-api/api-concepts/#efficient-detection-of-changes">API concepts, Watch</see>).
/// </summary>
internal readonly struct WatchLine : IDisposable
{
    private readonly JsonDocument _document;

    private WatchLine(JsonDocument document) => _document = document;

    /// <summary><c>ADDED</c>, <c>MODIFIED</c>, <c>DELETED</c>, <c>BOOKMARK</c> or <c>ERROR</c>.</summary>
    public string Type => Text(_document.RootElement, "type") ?? "";

    /// <summary>The object; of a bookmark only its resource version, of an error a Status.</summary>
    public JsonElement Object => Member(_document.RootElement, "object");

    /// <summary>The resource version to continue from after this line, or null.</summary>
    public string? ResourceVersion => Text(Member(Object, "metadata"), "resourceVersion");

    /// <summary>The code of an error's Status.</summary>
    public int ErrorCode =>
        Member(Object, "code") is { ValueKind: JsonValueKind.Number } code && code.TryGetInt32(out var number) ? number : 0;

    /// <summary>The message of an error's Status.</summary>
    public string ErrorMessage => Text(Object, "message") ?? "";

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

    private static JsonElement Member(JsonElement element, string name) =>
        element.ValueKind == JsonValueKind.Object && element.TryGetProperty(name, out var member) ? member : default;

    private static string? Text(JsonElement element, string name) =>
        Member(element, name) is { ValueKind: JsonValueKind.String } text ? text.GetString() : null;
}
