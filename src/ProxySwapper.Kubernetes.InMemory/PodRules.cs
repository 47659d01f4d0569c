using System.Text.Json.Nodes;

namespace ProxySwapper.Kubernetes.InMemory;

/// <summary>
/// An API server's rules for images, scheduling gates and nodes of Pods
/// (<see href="https://kubernetes.io/docs/concepts/scheduling-eviction/pod-scheduling-readiness/">Pod Scheduling Readiness</see>).
/// </summary>
internal static class PodRules
{
    private const string UpdateRejection =
        "pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,"
        + "`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),"
        + "`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)";

    private static readonly string[] ImageLists = ["containers", "initContainers"];

    /// <summary>The defaults that webhooks see.</summary>
    public static void SetDefaults(JsonObject pod)
    {
        var spec = Spec(pod);
        spec["schedulerName"] ??= "default-scheduler";
        spec["restartPolicy"] ??= "Always";
    }

    /// <summary>Validates a new Pod and sets its status.</summary>
    public static void Create(JsonObject pod)
    {
        var name = (string?)pod["metadata"]!["name"];
        if (Spec(pod)["containers"] is not JsonArray { Count: > 0 })
            throw ApiException.Invalid($"Pod \"{name}\" is invalid: spec.containers: Required value");
        var gates = GatesOf(pod);
        if (gates.Count > 0 && !string.IsNullOrEmpty((string?)Spec(pod)["nodeName"]))
            throw ApiException.Invalid(
                $"Pod \"{name}\" is invalid: spec.nodeName: Forbidden: cannot be set until all schedulingGates have been cleared"
            );
        var status = new JsonObject { ["phase"] = "Pending" };
        if (gates.Count > 0)
            status["conditions"] = new JsonArray(
                new JsonObject
                {
                    ["type"] = "PodScheduled",
                    ["status"] = "False",
                    ["reason"] = "SchedulingGated",
                    ["message"] = "Scheduling is blocked due to non-empty scheduling gates",
                }
            );
        pod["status"] = status;
    }

    /// <summary>Validates a changed Pod.</summary>
    public static void Update(JsonObject old, JsonObject pod)
    {
        var name = (string?)old["metadata"]!["name"];
        var before = GatesOf(old);
        foreach (var gate in GatesOf(pod))
            if (!before.Contains(gate))
                throw ApiException.Invalid(
                    $"Pod \"{name}\" is invalid: spec.schedulingGates: Forbidden: only deletion is allowed, "
                        + $"but found new scheduling gate '{gate}'"
                );
        if (!JsonNode.DeepEquals(Frozen(old), Frozen(pod)))
            throw ApiException.Invalid($"Pod \"{name}\" is invalid: spec: Forbidden: {UpdateRejection}");
    }

    /// <summary>Binds a Pod to a node, as a scheduler does through the subresource <c>binding</c>.</summary>
    public static JsonObject Bind(JsonObject old, string node)
    {
        var name = (string?)old["metadata"]!["name"];
        if (GatesOf(old).Count > 0)
            throw ApiException.Conflict(
                $"Operation cannot be fulfilled on pods/binding \"{name}\": " + $"pod {name} has non-empty .spec.schedulingGates"
            );
        var bound = (JsonObject)old.DeepClone();
        Spec(bound)["nodeName"] = node;
        return bound;
    }

    /// <summary>The names of a Pod's gates.</summary>
    public static IReadOnlyList<string> GatesOf(JsonObject pod) =>
        [.. (Spec(pod)["schedulingGates"] as JsonArray ?? []).Select(gate => (string?)gate?["name"] ?? "")];

    /// <summary>The immutable part of a Pod.</summary>
    private static JsonObject Frozen(JsonObject pod)
    {
        var spec = (JsonObject)Spec(pod).DeepClone();
        foreach (var list in ImageLists)
        foreach (var container in spec[list] as JsonArray ?? [])
            container!["image"] = "";
        foreach (var free in (string[])["schedulingGates", "activeDeadlineSeconds", "tolerations", "terminationGracePeriodSeconds"])
            spec.Remove(free);
        return spec;
    }

    private static JsonObject Spec(JsonObject pod) =>
        pod["spec"] as JsonObject ?? throw ApiException.Invalid("Pod is invalid: spec: Required value");
}
