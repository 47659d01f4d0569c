using System.Buffers;
using System.Text.Json;

namespace ProxySwapper.Kubernetes;

/// <summary>Reads a list of the API server as a stream, item by item: memory is bounded by the largest item.</summary>
internal sealed class ListReader(StreamedResponse response, Action<JsonElement> item)
{
    /// <summary>Size limit of an item, in bytes.</summary>
    private const int MaximumItem = 16 * 1024 * 1024;

    private JsonReaderState _state;
    private string _property = "";

    /// <summary>The list's resource version, from which a watch continues. Empty if the server sent none.</summary>
    public string ResourceVersion { get; private set; } = "";

    /// <summary>The token of the list's next page, or null after the last one.</summary>
    public string? Continue { get; private set; }

    /// <summary>Reads to the end.</summary>
    /// <exception cref="KubernetesException">The body ended early, stalled, or is not a list.</exception>
    public async Task ReadAsync()
    {
        while (true)
        {
            var result = await response.ReadAsync();
            try
            {
                response.AdvanceTo(Consume(result.Buffer, result.IsCompleted), result.Buffer.End);
            }
            // Half of a surrogate pair is JSON but not text, and numbers may be out of range.
            catch (Exception problem)
                when (problem is JsonException or InvalidOperationException or FormatException or KeyNotFoundException)
            {
                throw response.Error($"the response is not a list in JSON: {problem.Message}", problem);
            }
            if (result.IsCompleted)
                return;
        }
    }

    private SequencePosition Consume(ReadOnlySequence<byte> data, bool isFinal)
    {
        var reader = new Utf8JsonReader(data, isFinal, _state);
        while (true)
        {
            var before = reader;
            if (reader.Read() && TryTake(ref reader))
                continue;
            // The value is incomplete: the next call starts with it again.
            _state = before.CurrentState;
            return data.Length - before.BytesConsumed <= MaximumItem
                ? data.GetPosition(before.BytesConsumed)
                : throw new JsonException($"an item is larger than {MaximumItem / 1024 / 1024} MiB");
        }
    }

    /// <summary>Reads the current value; false if it is still incomplete.</summary>
    private bool TryTake(ref Utf8JsonReader reader)
    {
        switch (reader.CurrentDepth, reader.TokenType)
        {
            case (0, JsonTokenType.StartObject or JsonTokenType.EndObject):
                return true;
            case (0, _):
                throw new JsonException("an item must be an object");
            case (1, JsonTokenType.PropertyName):
                _property = reader.GetString()!;
                return true;
            case (1, JsonTokenType.StartArray or JsonTokenType.EndArray) when _property == "items":
                return true;
            case (1, JsonTokenType.StartObject) when _property == "metadata":
                return TryParse(ref reader, ReadMetadata);
            case (1, _):
                return reader.TrySkip();
            default:
                return TryParse(ref reader, item);
        }
    }

    private static bool TryParse(ref Utf8JsonReader reader, Action<JsonElement> use)
    {
        if (!JsonDocument.TryParseValue(ref reader, out var document))
            return false;
        using (document)
            use(document.RootElement);
        return true;
    }

    private void ReadMetadata(JsonElement metadata)
    {
        ResourceVersion = metadata.TextOrEmpty("resourceVersion");
        Continue = metadata.Text("continue");
    }
}
