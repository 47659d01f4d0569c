using System.Text.Encodings.Web;
using System.Text.Json;
using System.Buffers;
using ProxySwapper.Configuration;

namespace ProxySwapper.Admission;

/// <summary>
/// Writes the patch (RFC 6902) that makes a Pod's images those of a decision. It applies to exactly the object that was sent: a patch
/// that does not is an error of the API server, and the Pod is refused whatever the failure policy says.
/// </summary>
internal static class JsonPatchWriter
{
    // Image names and labels need no HTML escapes, and a reader of a log is glad without them.
    private static readonly JsonWriterOptions Options = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public static void Write(IBufferWriter<byte> output, PodSummary pod, PodDecision decision, PatchLabelOptions label, bool withMetadata)
    {
        using var json = new Utf8JsonWriter(output, Options);
        json.WriteStartArray();
        foreach (var (slot, image) in decision.Images)
            if (image.Target is { } target) WriteOperation(json, "replace", slot.Pointer, target.ToString());
        if (withMetadata) WriteMetadata(json, pod, decision, label);
        json.WriteEndArray();
    }

    private static void WriteMetadata(Utf8JsonWriter json, PodSummary pod, PodDecision decision, PatchLabelOptions label)
    {
        var hasRoom = PodMarks.HasRoomForOriginalImages(pod, decision);
        if (pod.Metadata == JsonPlace.Missing)
        {
            StartOperation(json, "add", "/metadata");
            json.WriteStartObject("value");
            json.WriteStartObject("labels");
            json.WriteString(label.Key, label.Value);
            json.WriteEndObject();
            if (hasRoom)
            {
                json.WriteStartObject("annotations");
                WriteOriginals(json, decision);
                json.WriteEndObject();
            }
            json.WriteEndObject();
            json.WriteEndObject();
            return;
        }
        WriteLabel(json, pod, label);
        if (hasRoom) WriteAnnotations(json, pod, decision);
    }

    private static void WriteLabel(Utf8JsonWriter json, PodSummary pod, PatchLabelOptions label)
    {
        if (pod.PatchLabel == label.Value) return;
        if (pod.Labels == JsonPlace.Object)
        {
            WriteOperation(json, pod.PatchLabel is null ? "add" : "replace", $"/metadata/labels/{Escape(label.Key)}", label.Value);
            return;
        }
        StartOperation(json, "add", "/metadata/labels");
        json.WriteStartObject("value");
        json.WriteString(label.Key, label.Value);
        json.WriteEndObject();
        json.WriteEndObject();
    }

    private static void WriteAnnotations(Utf8JsonWriter json, PodSummary pod, PodDecision decision)
    {
        if (pod.Annotations == JsonPlace.Object)
        {
            foreach (var (slot, image) in decision.Images)
                if (image.IsRewritten && PodMarks.OriginalImageKey(slot) is { } key)
                    WriteOperation(json, pod.OriginalImageKeys.Contains(key) ? "replace" : "add", $"/metadata/annotations/{Escape(key)}", image.Image);
            return;
        }
        StartOperation(json, "add", "/metadata/annotations");
        json.WriteStartObject("value");
        WriteOriginals(json, decision);
        json.WriteEndObject();
        json.WriteEndObject();
    }

    private static void WriteOriginals(Utf8JsonWriter json, PodDecision decision)
    {
        foreach (var (slot, image) in decision.Images)
            if (image.IsRewritten && PodMarks.OriginalImageKey(slot) is { } key) json.WriteString(key, image.Image);
    }

    private static void WriteOperation(Utf8JsonWriter json, string operation, string path, string value)
    {
        StartOperation(json, operation, path);
        json.WriteString("value", value);
        json.WriteEndObject();
    }

    private static void StartOperation(Utf8JsonWriter json, string operation, string path)
    {
        json.WriteStartObject();
        json.WriteString("op", operation);
        json.WriteString("path", path);
    }

    /// <summary>A key as a token of a JSON pointer (RFC 6901 §3).</summary>
    private static string Escape(string key) => key.Replace("~", "~0", StringComparison.Ordinal).Replace("/", "~1", StringComparison.Ordinal);
}
