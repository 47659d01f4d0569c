using System.Text.Json;
using System.Text.Json.Nodes;

namespace ProxySwapper.Kubernetes;

/// <summary>The JSON of Leases.</summary>
internal static class LeaseJson
{
    public static JsonObject Write(Lease lease)
    {
        var metadata = new JsonObject { ["name"] = lease.Name, ["namespace"] = lease.Namespace };
        if (lease.Uid.Length > 0)
            metadata["uid"] = lease.Uid;
        if (lease.ResourceVersion.Length > 0)
            metadata["resourceVersion"] = lease.ResourceVersion;
        if (lease.Labels.Count > 0)
            metadata["labels"] = Map(lease.Labels);
        if (lease.Annotations.Count > 0)
            metadata["annotations"] = Map(lease.Annotations);
        var spec = new JsonObject { ["leaseTransitions"] = lease.Transitions };
        if (lease.HolderIdentity is { } holder)
            spec["holderIdentity"] = holder;
        if (lease.Duration is { } duration)
            spec["leaseDurationSeconds"] = (int)duration.TotalSeconds;
        if (lease.AcquireTime is { } acquired)
            spec["acquireTime"] = MicroTime.Format(acquired);
        if (lease.RenewTime is { } renewed)
            spec["renewTime"] = MicroTime.Format(renewed);
        return new JsonObject
        {
            ["apiVersion"] = ResourceType.Leases.GroupVersion,
            ["kind"] = "Lease",
            ["metadata"] = metadata,
            ["spec"] = spec,
        };
    }

    public static Lease Read(JsonObject lease)
    {
        var (metadata, spec) = (lease["metadata"], lease["spec"]);
        return new Lease((string?)metadata?["namespace"] ?? "", (string?)metadata?["name"] ?? "")
        {
            Uid = (string?)metadata?["uid"] ?? "",
            ResourceVersion = (string?)metadata?["resourceVersion"] ?? "",
            Labels = Map(metadata?["labels"]),
            Annotations = Map(metadata?["annotations"]),
            HolderIdentity = (string?)spec?["holderIdentity"] is { Length: > 0 } holder ? holder : null,
            Duration = (int?)spec?["leaseDurationSeconds"] is { } seconds ? TimeSpan.FromSeconds(seconds) : null,
            AcquireTime = MicroTime.Parse((string?)spec?["acquireTime"]),
            RenewTime = MicroTime.Parse((string?)spec?["renewTime"]),
            Transitions = (int?)spec?["leaseTransitions"] ?? 0,
        };
    }

    /// <inheritdoc cref="Read(JsonObject)"/>
    public static Lease Read(JsonElement lease) => Read(JsonObject.Create(lease.Clone())!);

    private static JsonObject Map(IReadOnlyDictionary<string, string> pairs) =>
        new(pairs.Select(pair => KeyValuePair.Create<string, JsonNode?>(pair.Key, pair.Value)));

    private static Dictionary<string, string> Map(JsonNode? pairs) =>
        pairs is JsonObject map
            ? map.ToDictionary(pair => pair.Key, pair => (string?)pair.Value ?? "", StringComparer.Ordinal)
            : new(StringComparer.Ordinal);
}
