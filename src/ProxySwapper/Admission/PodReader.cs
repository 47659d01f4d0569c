using ProxySwapper.Admission.Json;

namespace ProxySwapper.Admission;

/// <summary>Reads the Pod of a review, or the object that older API servers send for <c>pods/ephemeralcontainers</c>.</summary>
internal static class PodReader
{
    /// <summary>Reads the value of the member that the scanner is at; null when it is not an object.</summary>
    public static PodSummary? Read(ref JsonScanner scanner, string patchLabelKey)
    {
        var start = scanner.Position;
        if (!scanner.EnterObject())
            return null;
        var pod = new PodSummary();
        while (scanner.NextMember())
        {
            if (scanner.NameIs("metadata"u8))
                ReadMetadata(ref scanner, pod, patchLabelKey);
            else if (scanner.NameIs("spec"u8))
                ReadSpec(ref scanner, pod);
            else if (scanner.NameIs(PodImageFields.OfEphemeralContainers.ListBytes))
                ReadImages(ref scanner, pod, PodImageFields.OfEphemeralContainers);
            else
                scanner.Skip();
        }
        pod.DropOverwrittenImages();
        pod.Size = PodSize.Decoded(scanner.TextSince(start));
        return pod;
    }

    private static void ReadMetadata(ref JsonScanner scanner, PodSummary pod, string patchLabelKey)
    {
        pod.ResetMetadata();
        pod.Metadata = EnterMember(ref scanner);
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
            else if (scanner.NameIs("ownerReferences"u8))
                ReadController(ref scanner, pod);
            else
                scanner.Skip();
        }
    }

    private static void ReadLabels(ref JsonScanner scanner, PodSummary pod, string patchLabelKey)
    {
        pod.ResetLabels();
        pod.Labels = EnterMember(ref scanner);
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
        pod.ResetAnnotations();
        pod.Annotations = EnterMember(ref scanner);
        if (pod.Annotations != JsonNodeState.Object)
            return;
        var start = scanner.Position;
        while (scanner.NextMember())
        {
            if (scanner.NameIs(WellKnownLabels.MirrorAnnotation))
                pod.IsMirror = true;
            else if (scanner.NameIs(GateLabels.LeftOriginal))
                pod.IsLeftOriginal = true;
            scanner.Skip();
        }
        pod.AnnotationsSize = scanner.Position - start;
    }

    private static void ReadController(ref JsonScanner scanner, PodSummary pod)
    {
        pod.Controller = null;
        if (!scanner.EnterArray())
            return;
        while (scanner.NextItem())
        {
            if (!scanner.EnterObject())
                continue;
            var (version, kind, uid, isController) = ("", "", "", false);
            while (scanner.NextMember())
            {
                if (scanner.NameIs("apiVersion"u8))
                    version = scanner.Text() ?? "";
                else if (scanner.NameIs("kind"u8))
                    kind = scanner.Text() ?? "";
                else if (scanner.NameIs("uid"u8))
                    uid = scanner.Text() ?? "";
                else if (scanner.NameIs("controller"u8))
                    isController = scanner.IsTrue();
                else
                    scanner.Skip();
            }
            if (isController)
                pod.Controller = new PodController(version, kind, uid);
        }
    }

    private static void ReadSpec(ref JsonScanner scanner, PodSummary pod)
    {
        pod.ResetSpec();
        if (!scanner.EnterObject())
            return;
        while (scanner.NextMember())
        {
            if (ImageListOf(ref scanner) is { } field)
                ReadImages(ref scanner, pod, field);
            else if (scanner.NameIs("imagePullSecrets"u8))
                ReadPullSecrets(ref scanner, pod);
            else if (scanner.NameIs("serviceAccountName"u8))
                pod.ServiceAccountName = scanner.Text() ?? "";
            else if (scanner.NameIs("nodeName"u8))
                pod.NodeName = scanner.Text() ?? "";
            else if (scanner.NameIs("schedulerName"u8))
                pod.SchedulerName = scanner.Text() ?? "";
            else if (scanner.NameIs("priorityClassName"u8))
                pod.PriorityClassName = scanner.Text() ?? "";
            else if (scanner.NameIs("schedulingGates"u8))
                ReadSchedulingGates(ref scanner, pod);
            else
                scanner.Skip();
        }
    }

    private static PodImageField? ImageListOf(ref JsonScanner scanner)
    {
        foreach (var field in PodImageFields.OfSpec)
            if (scanner.NameIs(field.ListBytes))
                return field;
        return null;
    }

    private static void ReadImages(ref JsonScanner scanner, PodSummary pod, PodImageField field)
    {
        pod.ResetImages(field.Kind);
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
                else if (!scanner.NameIs("image"u8))
                {
                    if (!field.IsVolume && scanner.NameIs("imagePullPolicy"u8))
                        policy = scanner.Text();
                    else
                        scanner.Skip();
                }
                else if (field.IsVolume)
                    (image, policy) = ReadImageVolume(ref scanner);
                else
                    image = scanner.Text();
            }
            // A container may lack an image if a controller fills it in later.
            if (!string.IsNullOrEmpty(image))
                pod.AddImage(new PodImage(field.Kind, index, name, image, policy));
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
        var isList = scanner.EnterArray();
        pod.ResetPullSecrets(isList);
        if (!isList)
            return;
        while (scanner.NextItem())
            if (ReadName(ref scanner) is { Length: > 0 } name)
                pod.AddPullSecret(name);
    }

    private static void ReadSchedulingGates(ref JsonScanner scanner, PodSummary pod)
    {
        pod.SchedulingGates = null;
        if (!scanner.EnterArray())
            return;
        pod.SchedulingGates = [];
        while (scanner.NextItem())
            pod.AddSchedulingGate(ReadName(ref scanner) ?? "");
    }

    /// <summary>The <c>name</c> of an object; null if it has none.</summary>
    private static string? ReadName(ref JsonScanner scanner)
    {
        var name = default(string);
        if (!scanner.EnterObject())
            return null;
        while (scanner.NextMember())
            if (scanner.NameIs("name"u8))
                name = scanner.Text();
            else
                scanner.Skip();
        return name;
    }

    /// <summary>Enters the value if it is an object; otherwise skips it.</summary>
    private static JsonNodeState EnterMember(ref JsonScanner scanner) =>
        scanner.SkipNull() ? JsonNodeState.Missing
        : scanner.EnterObject() ? JsonNodeState.Object
        : JsonNodeState.Malformed;
}
