using System.Text.Json.Nodes;
using ProxySwapper.Kubernetes;

namespace ProxySwapper.Switching;

/// <summary>A kind of object by which the swap is in force.</summary>
/// <param name="Type">Its version and its name in paths.</param>
/// <param name="Kind">The kind, for instance <c>MutatingWebhookConfiguration</c>.</param>
internal sealed record SwitchedKind(ResourceType Type, string Kind)
{
    private const string Group = "admissionregistration.k8s.io";

    // Before what is made of it: static members are set in the order of the file.
    private static readonly string[] PolicyVersions = ["v1", "v1beta1", "v1alpha1"];

    /// <summary>From the one that most releases have to the oldest version of the other.</summary>
    public static IReadOnlyList<SwitchedKind> All { get; } =
    [
        new(ResourceType.MutatingWebhookConfigurations, "MutatingWebhookConfiguration"),
        .. Versions("MutatingAdmissionPolicyBinding", "mutatingadmissionpolicybindings"),
    ];

    /// <summary>The policies, which without a binding are not in force.</summary>
    public static IReadOnlyList<SwitchedKind> Policies { get; } = [.. Versions("MutatingAdmissionPolicy", "mutatingadmissionpolicies")];

    /// <summary>The kind of an object, or null when it is another.</summary>
    public static SwitchedKind? Of(JsonObject item) =>
        All.FirstOrDefault(kind =>
            kind.Kind == (string?)item["kind"] && kind.Type.GroupVersion == ((string?)item["apiVersion"] ?? $"{Group}/v1")
        );

    private static IEnumerable<SwitchedKind> Versions(string kind, string plural) =>
        from version in PolicyVersions
        select new SwitchedKind(new ResourceType($"{Group}/{version}", plural), kind);
}
