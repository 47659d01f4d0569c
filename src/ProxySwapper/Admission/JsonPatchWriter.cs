using ProxySwapper.Admission.Json;
using ProxySwapper.Configuration;

namespace ProxySwapper.Admission;

/// <summary>
/// Writes the patch (RFC 6902) for a decision: images, then the scheduling gate, labels and annotations. It applies to exactly the object
/// that was sent: if a patch does not apply, the API server rejects the Pod whatever the failure policy.
/// </summary>
internal ref struct JsonPatchWriter(Utf8JsonBuffer output, PodSummary pod, PodDecision decision, PatchLabelOptions label)
{
    private bool _hasOperations;
    private bool _hasMembers;

    /// <summary>
    /// Writes the whole patch, or the images only for a subresource, which cannot change anything else. Writes nothing if there is nothing
    /// to change.
    /// </summary>
    public void Write(bool isSubResource, bool isCreated)
    {
        foreach (var (image, decided) in decision.Images)
            if (decided.Target is { } target)
            {
                StartOperation("replace"u8);
                output.Append(image.Field.PointerStart);
                output.Append(image.Index);
                output.Append(image.Field.PointerEnd);
                Value(target.ToString());
            }
        if (!isSubResource)
        {
            if (isCreated)
                WritePullSecrets();
            WriteGate();
            WriteMetadata();
        }
        if (_hasOperations)
            output.Append("]"u8);
    }

    private void WriteGate()
    {
        if (decision.SchedulingGate is not { } gate || pod.SchedulingGates?.Contains(gate) == true)
            return;
        StartOperation("add"u8);
        output.Append(
            pod.SchedulingGates is null
                ? "/spec/schedulingGates\",\"value\":[{\"name\":"u8
                : "/spec/schedulingGates/-\",\"value\":{\"name\":"u8
        );
        output.AppendString(gate);
        output.Append(pod.SchedulingGates is null ? "}]}"u8 : "}}"u8);
    }

    /// <summary>The pull Secrets for the new images, after the Pod's own.</summary>
    private void WritePullSecrets()
    {
        var hasList = pod.HasPullSecretList;
        for (var index = 0; index < decision.Images.Length; index++)
        {
            if (SecretOf(index) is not { } secret || pod.PullSecrets.Contains(secret) || IsSecretOfEarlier(index, secret))
                continue;
            StartOperation("add"u8);
            output.Append(
                hasList ? "/spec/imagePullSecrets/-\",\"value\":{\"name\":"u8 : "/spec/imagePullSecrets\",\"value\":[{\"name\":"u8
            );
            output.AppendString(secret);
            output.Append(hasList ? "}}"u8 : "}]}"u8);
            hasList = true;
        }
    }

    private readonly string? SecretOf(int index) =>
        decision.Images[index].Decision is { IsRewritten: true, PullSecret: { } secret } ? secret : null;

    private readonly bool IsSecretOfEarlier(int index, string secret)
    {
        for (var earlier = 0; earlier < index; earlier++)
            if (SecretOf(earlier) == secret)
                return true;
        return false;
    }

    private void WriteMetadata()
    {
        if (pod.Metadata == JsonNodeState.Object)
        {
            WriteMap("/metadata/labels"u8, pod.Labels, isAnnotations: false);
            WriteMap("/metadata/annotations"u8, pod.Annotations, isAnnotations: true);
        }
        else if (HasLabels() || HasAnnotations())
        {
            StartOperation("add"u8);
            output.Append("/metadata\",\"value\":{"u8);
            if (HasLabels())
            {
                output.Append("\"labels\":"u8);
                WriteObject(isAnnotations: false);
            }
            if (HasAnnotations())
            {
                output.Append(HasLabels() ? ",\"annotations\":"u8 : "\"annotations\":"u8);
                WriteObject(isAnnotations: true);
            }
            output.Append("}}"u8);
        }
    }

    /// <summary>Adds to the existing labels or annotations, or adds the whole object.</summary>
    private void WriteMap(ReadOnlySpan<byte> path, JsonNodeState state, bool isAnnotations)
    {
        if (state == JsonNodeState.Object)
            WriteEntries(path, isAnnotations);
        else if (isAnnotations ? HasAnnotations() : HasLabels())
        {
            StartOperation("add"u8);
            output.Append(path);
            output.Append("\",\"value\":"u8);
            WriteObject(isAnnotations);
            output.Append("}"u8);
        }
    }

    private void WriteObject(bool isAnnotations)
    {
        output.Append("{"u8);
        _hasMembers = false;
        WriteEntries([], isAnnotations);
        output.Append("}"u8);
    }

    /// <summary>One label or annotation: an operation below a path or, without a path, a member of an object.</summary>
    private void WriteEntries(ReadOnlySpan<byte> path, bool isAnnotations)
    {
        if (!isAnnotations)
        {
            if (HasPatchLabel())
                WriteEntry(path, label.Key, "", label.Value);
            foreach (var (key, value) in decision.Labels)
                WriteEntry(path, key, "", value);
            return;
        }
        if (decision.KeepsOriginalImages)
            foreach (var image in decision.Images)
                if (image.CanKeepOriginal)
                    WriteEntry(path, image.PodImage.Field.AnnotationPrefix, image.PodImage.Name, image.PodImage.Image);
        foreach (var (key, value) in decision.Annotations)
            WriteEntry(path, key, "", value);
    }

    /// <summary>Adding an existing member replaces it (RFC 6902 §4.1).</summary>
    private void WriteEntry(ReadOnlySpan<byte> path, string keyStart, string keyEnd, string value)
    {
        if (path.IsEmpty)
        {
            output.Append(_hasMembers ? ",\""u8 : "\""u8);
            _hasMembers = true;
            output.AppendInString(keyStart);
            output.AppendInString(keyEnd);
            output.Append("\":"u8);
            output.AppendString(value);
            return;
        }
        StartOperation("add"u8);
        output.Append(path);
        output.Append("/"u8);
        output.AppendPointerToken(keyStart);
        output.AppendPointerToken(keyEnd);
        Value(value);
    }

    private readonly bool HasPatchLabel() => decision.Outcome == AdmissionOutcome.Patched && pod.PatchLabel != label.Value;

    private readonly bool HasLabels() => HasPatchLabel() || !decision.Labels.IsEmpty;

    private readonly bool HasAnnotations() => !decision.Annotations.IsEmpty || decision.KeepsOriginalImages && HasOriginals();

    private readonly bool HasOriginals()
    {
        foreach (var image in decision.Images)
            if (image.CanKeepOriginal)
                return true;
        return false;
    }

    private void StartOperation(ReadOnlySpan<byte> operation)
    {
        output.Append(_hasOperations ? ",{\"op\":\""u8 : "[{\"op\":\""u8);
        _hasOperations = true;
        output.Append(operation);
        output.Append("\",\"path\":\""u8);
    }

    private readonly void Value(string value)
    {
        output.Append("\",\"value\":"u8);
        output.AppendString(value);
        output.Append("}"u8);
    }
}
