using System.Text.Json.Nodes;

namespace ProxySwapper.Kubernetes;

/// <summary>
/// Writes Events (<see href="https://kubernetes.io/docs/reference/kubernetes-api/cluster-resources/event-v1/">events.k8s.io/v1</see>),
/// which <c>kubectl describe</c> shows with their object.
/// </summary>
internal sealed class EventWriter(KubernetesClient client, string instance, TimeProvider time)
{
    private const string Controller = "proxyswapper.io/proxyswapper";

    /// <summary>The API server's limit for the name of an Event, in characters: that of a DNS subdomain (RFC 1123).</summary>
    private const int MaximumName = 253;

    /// <summary>The API server's limit for a note, in bytes.</summary>
    private const int MaximumNote = 1024;

    /// <summary>Writes one Event.</summary>
    /// <returns>Its path, for <see cref="RepeatAsync"/>.</returns>
    /// <exception cref="KubernetesException">The API server rejected it.</exception>
    public async Task<string> WriteAsync(EventSubject subject, EventContent content, CancellationToken cancellationToken)
    {
        // Events of objects without a namespace are in the namespace default.
        var @namespace = subject.Namespace.Length == 0 ? "default" : subject.Namespace;
        var collection = ResourceType.Events.CollectionPath(@namespace);
        var now = time.GetUtcNow();
        var name = NameOf(subject, $".{now.Ticks:x}{Random.Shared.Next(0x10000):x4}");
        await client.PostAsync(
            collection,
            new JsonObject
            {
                ["apiVersion"] = "events.k8s.io/v1",
                ["kind"] = "Event",
                ["metadata"] = new JsonObject { ["name"] = name, ["namespace"] = @namespace },
                ["eventTime"] = MicroTime.Format(now),
                ["reportingController"] = Controller,
                ["reportingInstance"] = instance.Length == 0 ? "proxyswapper" : instance[..Math.Min(instance.Length, 128)],
                ["type"] = content.IsWarning ? "Warning" : "Normal",
                ["reason"] = content.Reason,
                ["action"] = content.Action,
                ["note"] = Shorten(content.Note),
                ["regarding"] = new JsonObject
                {
                    ["apiVersion"] = subject.ApiVersion,
                    ["kind"] = subject.Kind,
                    ["namespace"] = subject.Namespace,
                    ["name"] = subject.Name,
                    ["uid"] = subject.Uid,
                },
            },
            cancellationToken
        );
        return $"{collection}/{Uri.EscapeDataString(name)}";
    }

    /// <summary>Records that an Event happened again; false if it has expired, as Events do after an hour.</summary>
    public async Task<bool> RepeatAsync(string path, int count, CancellationToken cancellationToken)
    {
        try
        {
            await client.PatchAsync(
                path,
                PatchKind.Merge,
                new JsonObject
                {
                    ["series"] = new JsonObject { ["count"] = count, ["lastObservedTime"] = MicroTime.Format(time.GetUtcNow()) },
                },
                cancellationToken
            );
            return true;
        }
        catch (KubernetesException fault) when (fault.Status == System.Net.HttpStatusCode.NotFound)
        {
            return false;
        }
    }

    /// <summary>A name that begins with the object's as far as it fits: a Pod's may be as long as an Event's.</summary>
    private static string NameOf(EventSubject subject, string suffix)
    {
        var start = subject.Name[..Math.Min(subject.Name.Length, MaximumName - suffix.Length)].TrimEnd('.', '-');
        return (start.Length == 0 ? "proxyswapper" : start) + suffix;
    }

    private static string Shorten(string note)
    {
        var bytes = System.Text.Encoding.UTF8.GetBytes(note);
        if (bytes.Length <= MaximumNote)
            return note;
        var end = MaximumNote - 3;
        while ((bytes[end] & 0xC0) == 0x80)
            end--;
        return System.Text.Encoding.UTF8.GetString(bytes, 0, end) + "...";
    }
}

/// <summary>The content of an Event.</summary>
/// <param name="Reason">One machine-readable word, such as <c>ImagePopulateFailed</c>.</param>
/// <param name="Action">The action that was taken, in one word.</param>
/// <param name="Note">A human-readable text; shortened to the API server's limit.</param>
/// <param name="IsWarning">True for a warning.</param>
internal sealed record EventContent(string Reason, string Action, string Note, bool IsWarning = true);

/// <summary>The object that an Event is about. Without its uid, <c>kubectl describe</c> would not show the Event.</summary>
internal sealed record EventSubject(string ApiVersion, string Kind, string Namespace, string Name, string? Uid);
