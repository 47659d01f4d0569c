using ProxySwapper.Admission.Json;

namespace ProxySwapper.Admission;

/// <summary>Reads the Pod of a review, or the object that older API servers send for <c>pods/ephemeralcontainers</c>.</summary>
internal static class PodReader
{
    /// <summary>From the member's name; null when its value is no object.</summary>
    public static PodSummary? Read(ref JsonScanner scanner, string patchLabelKey)
    {
        if (!scanner.EnterObject())
            return null;
        var pod = new PodSummary();
        while (scanner.NextMember())
        {
            if (scanner.NameIs("metadata"u8))
                ReadMetadata(ref scanner, pod, patchLabelKey);
            else if (scanner.NameIs("spec"u8))
                ReadSpec(ref scanner, pod);
            else if (scanner.NameIs("ephemeralContainers"u8))
                ReadContainers(ref scanner, pod, PodImageKind.BareEphemeralContainer);
            else
                scanner.Skip();
        }
        pod.DropOverwrittenImages();
        return pod;
    }

    private static void ReadMetadata(ref JsonScanner scanner, PodSummary pod, string patchLabelKey)
    {
        pod.ForgetMetadata();
        pod.Metadata = PlaceOf(ref scanner);
        if (pod.Metadata != JsonNodeState.Object)
            return;
        while (scanner.NextMember())
        {
            if (scanner.NameIs("name"u8))
                pod.Name = scanner.Text() ?? "";
            else if (scanner.NameIs("generateName"u8))
                pod.GenerateName = scanner.Text() ?? "";
            else if (scanner.NameIs("labels"u8))
                ReadLabels(ref scanner, pod, patchLabelKey);
            else if (scanner.NameIs("annotations"u8))
                ReadAnnotations(ref scanner, pod);
            else
                scanner.Skip();
        }
    }

    private static void ReadLabels(ref JsonScanner scanner, PodSummary pod, string patchLabelKey)
    {
        pod.ForgetLabels();
        pod.Labels = PlaceOf(ref scanner);
        if (pod.Labels != JsonNodeState.Object)
            return;
        while (scanner.NextMember())
        {
            if (scanner.NameIs(patchLabelKey))
                pod.PatchLabel = scanner.Text() ?? "";
            else if (scanner.NameIs(WellKnownLabels.OptOutLabel))
                pod.IsOptedOut = scanner.Text() == "true";
            else
                scanner.Skip();
        }
    }

    private static void ReadAnnotations(ref JsonScanner scanner, PodSummary pod)
    {
        pod.ForgetAnnotations();
        pod.Annotations = PlaceOf(ref scanner);
        if (pod.Annotations != JsonNodeState.Object)
            return;
        var start = scanner.Position;
        while (scanner.NextMember())
        {
            if (scanner.NameIs(WellKnownLabels.MirrorAnnotation))
                pod.IsMirror = true;
            else if (scanner.NameStartingWith(WellKnownLabels.OriginalImagePrefix) is { } key)
                pod.AddOriginalImage(key);
            scanner.Skip();
        }
        pod.AnnotationsSize = scanner.Position - start;
    }

    private static void ReadSpec(ref JsonScanner scanner, PodSummary pod)
    {
        pod.ForgetSpec();
        if (!scanner.EnterObject())
            return;
        while (scanner.NextMember())
        {
            if (scanner.NameIs("containers"u8))
                ReadContainers(ref scanner, pod, PodImageKind.Container);
            else if (scanner.NameIs("initContainers"u8))
                ReadContainers(ref scanner, pod, PodImageKind.InitContainer);
            else if (scanner.NameIs("ephemeralContainers"u8))
                ReadContainers(ref scanner, pod, PodImageKind.EphemeralContainer);
            else if (scanner.NameIs("volumes"u8))
                ReadVolumes(ref scanner, pod);
            else if (scanner.NameIs("imagePullSecrets"u8))
                ReadPullSecrets(ref scanner, pod);
            else if (scanner.NameIs("serviceAccountName"u8))
                pod.ServiceAccountName = scanner.Text() ?? "";
            else
                scanner.Skip();
        }
    }

    private static void ReadContainers(ref JsonScanner scanner, PodSummary pod, PodImageKind kind)
    {
        pod.StartImages(kind);
        if (!scanner.EnterArray())
            return;
        for (var index = 0; scanner.NextItem(); index++)
        {
            if (!scanner.EnterObject())
                continue;
            var (name, image, policy) = ("", default(string), default(string));
            while (scanner.NextMember())
            {
                if (scanner.NameIs("name"u8))
                    name = scanner.Text() ?? "";
                else if (scanner.NameIs("image"u8))
                    image = scanner.Text();
                else if (scanner.NameIs("imagePullPolicy"u8))
                    policy = scanner.Text();
                else
                    scanner.Skip();
            }
            // A container may have no image where a controller fills it in later.
            if (!string.IsNullOrEmpty(image))
                pod.AddImage(new PodImage(kind, index, name, image, policy));
        }
    }

    private static void ReadVolumes(ref JsonScanner scanner, PodSummary pod)
    {
        pod.StartImages(PodImageKind.Volume);
        if (!scanner.EnterArray())
            return;
        for (var index = 0; scanner.NextItem(); index++)
        {
            if (!scanner.EnterObject())
                continue;
            var (name, image, policy) = ("", default(string), default(string));
            while (scanner.NextMember())
            {
                if (scanner.NameIs("name"u8))
                    name = scanner.Text() ?? "";
                else if (scanner.NameIs("image"u8))
                    (image, policy) = ReadImageVolume(ref scanner);
                else
                    scanner.Skip();
            }
            if (!string.IsNullOrEmpty(image))
                pod.AddImage(new PodImage(PodImageKind.Volume, index, name, image, policy));
        }
    }

    private static (string? Reference, string? PullPolicy) ReadImageVolume(ref JsonScanner scanner)
    {
        var (reference, policy) = (default(string), default(string));
        if (!scanner.EnterObject())
            return (null, null);
        while (scanner.NextMember())
        {
            if (scanner.NameIs("reference"u8))
                reference = scanner.Text();
            else if (scanner.NameIs("pullPolicy"u8))
                policy = scanner.Text();
            else
                scanner.Skip();
        }
        return (reference, policy);
    }

    private static void ReadPullSecrets(ref JsonScanner scanner, PodSummary pod)
    {
        pod.ForgetPullSecrets();
        if (!scanner.EnterArray())
            return;
        while (scanner.NextItem())
            if (scanner.EnterObject())
                while (scanner.NextMember())
                    if (!scanner.NameIs("name"u8))
                        scanner.Skip();
                    else if (scanner.Text() is { Length: > 0 } name)
                        pod.AddPullSecret(name);
    }

    /// <summary>Inside the value where it is an object, behind it otherwise.</summary>
    private static JsonNodeState PlaceOf(ref JsonScanner scanner) =>
        scanner.SkipNull() ? JsonNodeState.Missing
        : scanner.EnterObject() ? JsonNodeState.Object
        : JsonNodeState.Malformed;
}
