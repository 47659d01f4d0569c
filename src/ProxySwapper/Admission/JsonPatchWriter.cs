using ProxySwapper.Admission.Json;
using ProxySwapper.Configuration;

namespace ProxySwapper.Admission;

/// <summary>
/// Writes the patch (RFC 6902) that makes a Pod's images those of a decision. It applies to exactly the object that was sent: a patch
/// that does not is an error of the API server, and the Pod is refused whatever the failure policy says.
/// </summary>
internal readonly ref struct JsonPatchWriter(Utf8JsonBuffer output, PodSummary pod, PodDecision decision, PatchLabelOptions label)
{
    private static readonly string ContainerToken = Token(WellKnownLabels.ContainerPrefix);
    private static readonly string VolumeToken = Token(WellKnownLabels.VolumePrefix);

    private readonly bool _hasRoom = WellKnownLabels.HasRoomForOriginalImages(pod, decision);

    /// <summary>
    /// Writes the whole patch, with labels and annotations unless it is for a subresource, through which they may not change.
    /// </summary>
    public void Write(bool withMetadata)
    {
        var isFirst = true;
        foreach (var (slot, image) in decision.Images)
        {
            if (image.Target is not { } target)
                continue;
            output.Append(isFirst ? "[{\"op\":\"replace\",\"path\":\""u8 : ",{\"op\":\"replace\",\"path\":\""u8);
            isFirst = false;
            WritePointer(slot);
            output.Append("\",\"value\":"u8);
            output.AppendString(target.ToString());
            output.Append("}"u8);
        }
        if (withMetadata)
            WriteMetadata();
        output.Append("]"u8);
    }

    /// <summary>The JSON pointer of an image (RFC 6901).</summary>
    private void WritePointer(PodImage slot)
    {
        output.Append(
            slot.Kind switch
            {
                PodImageKind.Container => "/spec/containers/"u8,
                PodImageKind.InitContainer => "/spec/initContainers/"u8,
                PodImageKind.EphemeralContainer => "/spec/ephemeralContainers/"u8,
                PodImageKind.BareEphemeralContainer => "/ephemeralContainers/"u8,
                _ => "/spec/volumes/"u8,
            }
        );
        output.Append(slot.Index);
        output.Append(slot.Kind == PodImageKind.Volume ? "/image/reference"u8 : "/image"u8);
    }

    private void WriteMetadata()
    {
        if (pod.Metadata == JsonNodeState.Missing)
        {
            output.Append(",{\"op\":\"add\",\"path\":\"/metadata\",\"value\":{\"labels\":"u8);
            WriteLabels();
            if (_hasRoom)
            {
                output.Append(",\"annotations\":"u8);
                WriteOriginals();
            }
            output.Append("}}"u8);
            return;
        }
        WriteLabel();
        if (_hasRoom)
            WriteAnnotations();
    }

    private void WriteLabel()
    {
        if (pod.PatchLabel == label.Value)
            return;
        if (pod.Labels != JsonNodeState.Object)
        {
            output.Append(",{\"op\":\"add\",\"path\":\"/metadata/labels\",\"value\":"u8);
            WriteLabels();
            output.Append("}"u8);
            return;
        }
        output.Append(
            pod.PatchLabel is null
                ? ",{\"op\":\"add\",\"path\":\"/metadata/labels/"u8
                : ",{\"op\":\"replace\",\"path\":\"/metadata/labels/"u8
        );
        output.AppendInString(Token(label.Key));
        output.Append("\",\"value\":"u8);
        output.AppendString(label.Value);
        output.Append("}"u8);
    }

    private void WriteLabels()
    {
        output.Append("{"u8);
        output.AppendString(label.Key);
        output.Append(":"u8);
        output.AppendString(label.Value);
        output.Append("}"u8);
    }

    private void WriteAnnotations()
    {
        if (pod.Annotations != JsonNodeState.Object)
        {
            output.Append(",{\"op\":\"add\",\"path\":\"/metadata/annotations\",\"value\":"u8);
            WriteOriginals();
            output.Append("}"u8);
            return;
        }
        foreach (var (slot, image) in decision.Images)
        {
            if (!image.IsRewritten || !WellKnownLabels.KeepsOriginalImage(slot))
                continue;
            output.Append(
                pod.HasOriginalImage(slot)
                    ? ",{\"op\":\"replace\",\"path\":\"/metadata/annotations/"u8
                    : ",{\"op\":\"add\",\"path\":\"/metadata/annotations/"u8
            );
            output.AppendInString(slot.Kind == PodImageKind.Volume ? VolumeToken : ContainerToken);
            output.AppendInString(slot.Name);
            output.Append("\",\"value\":"u8);
            output.AppendString(image.Image);
            output.Append("}"u8);
        }
    }

    private void WriteOriginals()
    {
        output.Append("{"u8);
        var isFirst = true;
        foreach (var (slot, image) in decision.Images)
        {
            if (!image.IsRewritten || !WellKnownLabels.KeepsOriginalImage(slot))
                continue;
            output.Append(isFirst ? "\""u8 : ",\""u8);
            isFirst = false;
            output.AppendInString(slot.Kind == PodImageKind.Volume ? WellKnownLabels.VolumePrefix : WellKnownLabels.ContainerPrefix);
            output.AppendInString(slot.Name);
            output.Append("\":"u8);
            output.AppendString(image.Image);
        }
        output.Append("}"u8);
    }

    /// <summary>A key as a token of a JSON pointer (RFC 6901 §3).</summary>
    private static string Token(string key) =>
        key.Replace("~", "~0", StringComparison.Ordinal).Replace("/", "~1", StringComparison.Ordinal);
}
