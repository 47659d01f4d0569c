using System.Text.Json.Nodes;
using ProxySwapper.Kubernetes;

namespace ProxySwapper.Switching;

/// <summary>A kind of object that activates the rewriting of images.</summary>
/// <param name="Type">Its version and its name in paths.</param>
/// <param name="Kind">The kind, such as <c>MutatingWebhookConfiguration</c>.</param>
internal sealed record SwitchedKind(ResourceType Type, string Kind)
{
    private const string Group = "admissionregistration.k8s.io";

    // Declared first: static members are initialised in textual order.
    private static readonly string[] PolicyVersions = ["v1", "v1beta1", "v1alpha1"];

    /// <summary>From the most common to the oldest version of the other.</summary>
    public static IReadOnlyList<SwitchedKind> All { get; } =
    [
        new(ResourceType.MutatingWebhookConfigurations, "MutatingWebhookConfiguration"),
        .. Versions("MutatingAdmissionPolicyBinding", "mutatingadmissionpolicybindings"),
    ];

    /// <summary>The policies, which have no effect without a binding.</summary>
    public static IReadOnlyList<SwitchedKind> Policies { get; } = [.. Versions("MutatingAdmissionPolicy", "mutatingadmissionpolicies")];

    /// <summary>The kind of an object, or null for any other.</summary>
    public static SwitchedKind? Of(JsonObject item) =>
        All.FirstOrDefault(kind =>
            kind.Kind == (string?)item["kind"] && kind.Type.GroupVersion == ((string?)item["apiVersion"] ?? $"{Group}/v1")
        );

    private static IEnumerable<SwitchedKind> Versions(string kind, string plural) =>
        from version in PolicyVersions
        select new SwitchedKind(new ResourceType($"{Group}/{version}", plural), kind);
}
