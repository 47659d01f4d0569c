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

    public static Lease Read(JsonObject lease) =>
        new(lease.Text("metadata", "namespace") ?? "", lease.Text("metadata", "name") ?? "")
        {
            Uid = lease.Text("metadata", "uid") ?? "",
            ResourceVersion = lease.Text("metadata", "resourceVersion") ?? "",
            Labels = Map(lease.Member("metadata", "labels")),
            Annotations = Map(lease.Member("metadata", "annotations")),
            HolderIdentity = lease.Text("spec", "holderIdentity") is { Length: > 0 } holder ? holder : null,
            Duration = lease.Integer("spec", "leaseDurationSeconds") is { } seconds ? TimeSpan.FromSeconds(seconds) : null,
            AcquireTime = MicroTime.Parse(lease.Text("spec", "acquireTime")),
            RenewTime = MicroTime.Parse(lease.Text("spec", "renewTime")),
            Transitions = lease.Integer("spec", "leaseTransitions") ?? 0,
        };

    /// <inheritdoc cref="Read(JsonObject)"/>
    public static Lease Read(JsonElement lease) => Read(JsonObject.Create(lease.Clone())!);

    private static JsonObject Map(IReadOnlyDictionary<string, string> pairs) =>
        new(pairs.Select(pair => KeyValuePair.Create<string, JsonNode?>(pair.Key, pair.Value)));

    private static Dictionary<string, string> Map(JsonNode? pairs) =>
        pairs is JsonObject map
            ? map.ToDictionary(pair => pair.Key, pair => pair.Value.Text() ?? "", StringComparer.Ordinal)
            : new(StringComparer.Ordinal);
}
