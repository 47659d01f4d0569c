using System.Net;
using System.Text.Json.Nodes;
using ProxySwapper.Kubernetes;

namespace ProxySwapper.Switching;

/// <summary>
/// Removes the webhook's configuration, or the admission policy's binding, from the API server and restores it. Both can be repeated, and
/// nothing can be lost between storing and removing: only the version that was stored is removed.
/// </summary>
internal sealed class WebhookSwitch(KubernetesClient client, string name)
{
    public const string DefaultName = "k8s-proxy-image-swapper-webhook";

    /// <summary>How often the configuration may change concurrently before giving up.</summary>
    private const int MaximumAttempts = 5;

    /// <summary>Fields that only the API server sets.</summary>
    private static readonly IReadOnlyList<string> ServerFields =
    [
        "uid",
        "resourceVersion",
        "generation",
        "creationTimestamp",
        "managedFields",
        "selfLink",
    ];

    /// <summary>Removes the configuration, or binding and policy; false if nothing existed.</summary>
    public async Task<bool> DiscardAsync(CancellationToken cancellationToken)
    {
        var isRemoved = false;
        // The binding goes first: without it no replica recreates the policy.
        foreach (var kind in SwitchedKind.All.Concat(SwitchedKind.Policies))
            isRemoved |= await ClientOf(kind).DeleteAsync(null, name, null, cancellationToken);
        return isRemoved;
    }

    /// <summary>Stores the configuration and removes it.</summary>
    /// <param name="store">Where to store it; null for the ConfigMap that the configuration names.</param>
    /// <param name="cancellationToken">Cancels the call.</param>
    /// <returns>Where it is stored, or null if it did not exist.</returns>
    /// <exception cref="WebhookSwitchException">It cannot be stored; nothing was removed.</exception>
    public async Task<IRemovedWebhookStore?> DisableAsync(IRemovedWebhookStore? store, CancellationToken cancellationToken)
    {
        for (var attempt = 1; ; attempt++)
        {
            if (await FindAsync(cancellationToken) is not var (kind, webhook))
                return null;
            store ??= StoreOf(webhook);
            await store.KeepAsync(WithoutServerFields(webhook), cancellationToken);
            try
            {
                await ClientOf(kind).DeleteAsync(null, name, Preconditions.Of(webhook), cancellationToken);
                return store;
            }
            catch (KubernetesException fault) when (fault.Status == HttpStatusCode.Conflict && attempt < MaximumAttempts)
            {
                // cert-manager or a user changed it: the new version must be stored.
            }
        }
    }

    /// <summary>
    /// The kind of an object of this name that still rewrites images, such as a policy's binding beside a webhook; null if none is found,
    /// or may be read.
    /// </summary>
    public async Task<string?> FindRemainingAsync(CancellationToken cancellationToken)
    {
        try
        {
            return (await FindAsync(cancellationToken))?.Kind.Kind;
        }
        catch (KubernetesException fault) when (fault.Status == HttpStatusCode.Forbidden)
        {
            return null;
        }
    }

    /// <summary>Restores what was stored.</summary>
    /// <exception cref="WebhookSwitchException">Nothing usable is stored.</exception>
    public async Task<EnableOutcome> EnableAsync(IRemovedWebhookStore store, CancellationToken cancellationToken)
    {
        if (await store.FindAsync(cancellationToken) is not { } webhook)
            return await FindAsync(cancellationToken) is not null
                ? EnableOutcome.AlreadyPresent
                : throw new WebhookSwitchException(
                    $"{store} has no stored configuration and {name} does not exist: upgrade the chart to recreate it"
                );
        if (SwitchedKind.Of(webhook) is not { } kind || (string?)webhook["metadata"]?["name"] != name)
            throw new WebhookSwitchException(
                $"the object stored in {store} is not a MutatingWebhookConfiguration or MutatingAdmissionPolicyBinding named {name}"
            );
        var outcome = await CreateAsync(kind, WithoutServerFields(webhook), cancellationToken);
        await store.ForgetAsync(cancellationToken);
        return outcome;
    }

    /// <summary>The current object, with its kind.</summary>
    private async Task<(SwitchedKind Kind, JsonObject Object)?> FindAsync(CancellationToken cancellationToken)
    {
        foreach (var kind in SwitchedKind.All)
            if (await ClientOf(kind).GetAsync(null, name, cancellationToken) is { } found)
                return (kind, found);
        return null;
    }

    private ResourceClient ClientOf(SwitchedKind kind) => new(client, kind.Type);

    private async Task<EnableOutcome> CreateAsync(SwitchedKind kind, JsonObject webhook, CancellationToken cancellationToken)
    {
        try
        {
            await ClientOf(kind).CreateAsync(null, webhook, cancellationToken);
            return EnableOutcome.Restored;
        }
        catch (KubernetesException fault) when (fault.Reason == "AlreadyExists")
        {
            // A chart upgrade was faster, and its version is newer.
            return EnableOutcome.AlreadyPresent;
        }
    }

    private ConfigMapStore StoreOf(JsonObject webhook) =>
        (string?)webhook["metadata"]?["annotations"]?[ConfigMapStore.PlaceAnnotation] is { } place
        && ConfigMapStore.Parse(client, place) is { } store
            ? store
            : throw new WebhookSwitchException(
                $"{name} has no annotation {ConfigMapStore.PlaceAnnotation} that names where to store it: use "
                    + "--config-map NAMESPACE/NAME or --file FILE, or drop it with --discard"
            );

    private static JsonObject WithoutServerFields(JsonObject webhook)
    {
        var kept = (JsonObject)webhook.DeepClone();
        if (kept["metadata"] is JsonObject metadata)
            foreach (var field in ServerFields)
                metadata.Remove(field);
        return kept;
    }
}

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

/// <summary>What enabling did.</summary>
internal enum EnableOutcome
{
    /// <summary>The stored object was created again.</summary>
    Restored,

    /// <summary>The API server already had one, which was left unchanged.</summary>
    AlreadyPresent,
}

/// <summary>A webhook cannot be disabled or enabled; the message says what to do instead.</summary>
internal sealed class WebhookSwitchException(string message, Exception? innerException = null) : Exception(message, innerException);
