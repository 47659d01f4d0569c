using System.Text.Json;
using static ProxySwapper.Admission.AdmissionReviewReader;

namespace ProxySwapper.Admission;

/// <summary>Reads the Pod of a review, or the object that older API servers send for <c>pods/ephemeralcontainers</c>.</summary>
internal static class PodReader
{
    /// <summary>From the member's name; null when its value is no object.</summary>
    public static PodSummary? Read(ref Utf8JsonReader reader, string patchLabelKey)
    {
        if (!EnterObject(ref reader)) return null;
        var pod = new PodSummary();
        while (NextMember(ref reader))
        {
            if (reader.ValueTextEquals("metadata"u8)) ReadMetadata(ref reader, pod, patchLabelKey);
            else if (reader.ValueTextEquals("spec"u8)) ReadSpec(ref reader, pod);
            else if (reader.ValueTextEquals("ephemeralContainers"u8)) ReadContainers(ref reader, pod, ImageSlotKind.BareEphemeralContainer);
            else SkipMember(ref reader);
        }
        pod.DropOverwrittenImages();
        return pod;
    }

    private static void ReadMetadata(ref Utf8JsonReader reader, PodSummary pod, string patchLabelKey)
    {
        pod.ForgetMetadata();
        reader.Read();
        pod.Metadata = PlaceOf(ref reader);
        if (pod.Metadata != JsonPlace.Object) return;
        while (NextMember(ref reader))
        {
            if (reader.ValueTextEquals("name"u8)) pod.Name = Text(ref reader);
            else if (reader.ValueTextEquals("generateName"u8)) pod.GenerateName = Text(ref reader);
            else if (reader.ValueTextEquals("labels"u8)) ReadLabels(ref reader, pod, patchLabelKey);
            else if (reader.ValueTextEquals("annotations"u8)) ReadAnnotations(ref reader, pod);
            else SkipMember(ref reader);
        }
    }

    private static void ReadLabels(ref Utf8JsonReader reader, PodSummary pod, string patchLabelKey)
    {
        pod.ForgetLabels();
        reader.Read();
        pod.Labels = PlaceOf(ref reader);
        if (pod.Labels != JsonPlace.Object) return;
        while (NextMember(ref reader))
        {
            if (reader.ValueTextEquals(patchLabelKey)) pod.PatchLabel = Text(ref reader);
            else if (reader.ValueTextEquals(PodMarks.OptOutLabel)) pod.IsOptedOut = Text(ref reader) == "true";
            else SkipMember(ref reader);
        }
    }

    private static void ReadAnnotations(ref Utf8JsonReader reader, PodSummary pod)
    {
        pod.ForgetAnnotations();
        reader.Read();
        pod.Annotations = PlaceOf(ref reader);
        if (pod.Annotations != JsonPlace.Object) return;
        var start = reader.BytesConsumed;
        while (NextMember(ref reader))
        {
            if (reader.ValueTextEquals(PodMarks.MirrorAnnotation)) pod.IsMirror = true;
            else if (PodMarks.MayBeOriginalImageKey(reader)) pod.OriginalImageKeys.Add(reader.GetString()!);
            SkipMember(ref reader);
        }
        pod.AnnotationsSize = reader.BytesConsumed - start;
    }

    private static void ReadSpec(ref Utf8JsonReader reader, PodSummary pod)
    {
        pod.ForgetSpec();
        if (!EnterObject(ref reader)) return;
        while (NextMember(ref reader))
        {
            if (reader.ValueTextEquals("containers"u8)) ReadContainers(ref reader, pod, ImageSlotKind.Container);
            else if (reader.ValueTextEquals("initContainers"u8)) ReadContainers(ref reader, pod, ImageSlotKind.InitContainer);
            else if (reader.ValueTextEquals("ephemeralContainers"u8)) ReadContainers(ref reader, pod, ImageSlotKind.EphemeralContainer);
            else if (reader.ValueTextEquals("volumes"u8)) ReadVolumes(ref reader, pod);
            else if (reader.ValueTextEquals("imagePullSecrets"u8)) ReadPullSecrets(ref reader, pod);
            else if (reader.ValueTextEquals("serviceAccountName"u8)) pod.ServiceAccountName = Text(ref reader);
            else SkipMember(ref reader);
        }
    }

    private static void ReadContainers(ref Utf8JsonReader reader, PodSummary pod, ImageSlotKind kind)
    {
        pod.StartImages(kind);
        if (!EnterArray(ref reader)) return;
        for (var index = 0; NextItem(ref reader, out var isObject); index++)
        {
            if (!isObject) continue;
            var (name, image, policy) = ("", default(string), default(string));
            while (NextMember(ref reader))
            {
                if (reader.ValueTextEquals("name"u8)) name = Text(ref reader);
                else if (reader.ValueTextEquals("image"u8)) image = Text(ref reader);
                else if (reader.ValueTextEquals("imagePullPolicy"u8)) policy = Text(ref reader);
                else SkipMember(ref reader);
            }
            // A container may have no image where a controller fills it in later.
            if (!string.IsNullOrEmpty(image)) pod.Images.Add(new ImageSlot(kind, index, name, image, policy));
        }
    }

    private static void ReadVolumes(ref Utf8JsonReader reader, PodSummary pod)
    {
        pod.StartImages(ImageSlotKind.Volume);
        if (!EnterArray(ref reader)) return;
        for (var index = 0; NextItem(ref reader, out var isObject); index++)
        {
            if (!isObject) continue;
            var (name, image, policy) = ("", default(string), default(string));
            while (NextMember(ref reader))
            {
                if (reader.ValueTextEquals("name"u8)) name = Text(ref reader);
                else if (reader.ValueTextEquals("image"u8)) (image, policy) = ReadImageVolume(ref reader);
                else SkipMember(ref reader);
            }
            if (!string.IsNullOrEmpty(image)) pod.Images.Add(new ImageSlot(ImageSlotKind.Volume, index, name, image, policy));
        }
    }

    private static (string? Reference, string? PullPolicy) ReadImageVolume(ref Utf8JsonReader reader)
    {
        var (reference, policy) = (default(string), default(string));
        if (!EnterObject(ref reader)) return (null, null);
        while (NextMember(ref reader))
        {
            if (reader.ValueTextEquals("reference"u8)) reference = Text(ref reader);
            else if (reader.ValueTextEquals("pullPolicy"u8)) policy = Text(ref reader);
            else SkipMember(ref reader);
        }
        return (reference, policy);
    }

    private static void ReadPullSecrets(ref Utf8JsonReader reader, PodSummary pod)
    {
        pod.PullSecrets.Clear();
        if (!EnterArray(ref reader)) return;
        while (NextItem(ref reader, out var isObject))
            while (isObject && NextMember(ref reader))
                if (!reader.ValueTextEquals("name"u8)) SkipMember(ref reader);
                else if (Text(ref reader) is { Length: > 0 } name) pod.PullSecrets.Add(name);
    }

    /// <summary>Stands at the start of an array's next item, inside it where it is an object, behind it otherwise; false at the array's end.</summary>
    private static bool NextItem(ref Utf8JsonReader reader, out bool isObject)
    {
        isObject = false;
        if (!reader.Read() || reader.TokenType == JsonTokenType.EndArray) return false;
        isObject = reader.TokenType == JsonTokenType.StartObject;
        if (!isObject) reader.Skip();
        return true;
    }

    /// <summary>On a value: inside it where it is an object, behind it otherwise.</summary>
    private static JsonPlace PlaceOf(ref Utf8JsonReader reader)
    {
        if (reader.TokenType == JsonTokenType.StartObject) return JsonPlace.Object;
        var place = reader.TokenType == JsonTokenType.Null ? JsonPlace.Missing : JsonPlace.Malformed;
        reader.Skip();
        return place;
    }
}
