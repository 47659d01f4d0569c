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

    /// <summary>
    /// Stores the configuration and removes it, and a policy's binding of the same name with it: afterwards no image is rewritten.
    /// </summary>
    /// <param name="store">Where to store what is removed; null for the ConfigMap that one of the objects names.</param>
    /// <param name="cancellationToken">Cancels the call.</param>
    /// <returns>What was removed, or null if nothing existed.</returns>
    /// <exception cref="WebhookSwitchException">It cannot be stored; nothing was removed.</exception>
    /// <exception cref="KubernetesException">The API server returned an error; nothing was removed.</exception>
    public async Task<RemovedObjects?> DisableAsync(IRemovedWebhookStore? store, CancellationToken cancellationToken)
    {
        var stored = new Dictionary<string, JsonObject>(StringComparer.Ordinal);
        var removed = new List<string>();
        for (var attempt = 1; ; attempt++)
        {
            var found = await FindAllAsync(cancellationToken);
            if (found.Count == 0)
                return store is null || removed.Count == 0 ? null : new RemovedObjects(store, removed, null);
            store ??= StoreOf(found.ConvertAll(item => item.Object));
            foreach (var (kind, webhook) in found)
                stored[kind.Kind] = WithoutServerFields(webhook);
            await store.KeepAsync(ListOf([.. stored.Values]), cancellationToken);
            var fault = await RemoveAsync(found, removed, cancellationToken);
            // cert-manager or a user changed it: the new version must be stored.
            if (fault?.Status == HttpStatusCode.Conflict && attempt < MaximumAttempts)
                continue;
            if (fault is not null && removed.Count == 0)
                throw fault;
            return new RemovedObjects(store, removed, fault?.Message);
        }
    }

    /// <summary>Removes each object in the version that was stored, the others also if one is rejected.</summary>
    /// <returns>Why one remains, or null.</returns>
    private async Task<KubernetesException?> RemoveAsync(
        List<(SwitchedKind Kind, JsonObject Object)> found,
        List<string> removed,
        CancellationToken cancellationToken
    )
    {
        KubernetesException? remaining = null;
        foreach (var (kind, webhook) in found)
            try
            {
                await ClientOf(kind).DeleteAsync(null, name, Preconditions.Of(webhook), cancellationToken);
                removed.Add(kind.Kind);
            }
            catch (KubernetesException fault)
            {
                // Of several, one that does not help to repeat.
                remaining = remaining is null or { Status: HttpStatusCode.Conflict } ? fault : remaining;
            }
        return remaining;
    }

    /// <summary>Restores what was stored.</summary>
    /// <exception cref="WebhookSwitchException">Nothing usable is stored.</exception>
    public async Task<EnableOutcome> EnableAsync(IRemovedWebhookStore store, CancellationToken cancellationToken)
    {
        if (await store.FindAsync(cancellationToken) is not { } stored)
            return (await FindAllAsync(cancellationToken)).Count > 0
                ? EnableOutcome.AlreadyPresent
                : throw new WebhookSwitchException(
                    $"{store} has no stored configuration and {name} does not exist: upgrade the chart to recreate it"
                );
        var objects = new List<(SwitchedKind Kind, JsonObject Object)>();
        var items = ItemsOf(stored);
        foreach (var item in items)
            if (item is JsonObject webhook && SwitchedKind.Of(webhook) is { } kind && webhook.Text("metadata", "name") == name)
                objects.Add((kind, WithoutServerFields(webhook)));
        if (objects.Count == 0 || objects.Count < items.Count)
            throw new WebhookSwitchException(
                $"the object stored in {store} is not a MutatingWebhookConfiguration or MutatingAdmissionPolicyBinding named {name}"
            );
        var outcome = EnableOutcome.AlreadyPresent;
        foreach (var (kind, webhook) in objects)
            if (await CreateAsync(kind, webhook, cancellationToken) == EnableOutcome.Restored)
                outcome = EnableOutcome.Restored;
        await store.ForgetAsync(cancellationToken);
        return outcome;
    }

    /// <summary>
    /// The current objects, each in the first version that the API server serves. A kind that may not be read is left out if there is
    /// another: whoever may switch the webhook alone can do that.
    /// </summary>
    private async Task<List<(SwitchedKind Kind, JsonObject Object)>> FindAllAsync(CancellationToken cancellationToken)
    {
        var found = new List<(SwitchedKind Kind, JsonObject Object)>();
        KubernetesException? rejection = null;
        foreach (var kind in SwitchedKind.All)
            try
            {
                if (!found.Exists(item => item.Kind.Kind == kind.Kind) && await GetAsync(kind, cancellationToken) is { } webhook)
                    found.Add((kind, webhook));
            }
            catch (KubernetesException fault) when (fault.Status == HttpStatusCode.Forbidden)
            {
                rejection ??= fault;
            }
        return found.Count == 0 && rejection is not null ? throw rejection : found;
    }

    private Task<JsonObject?> GetAsync(SwitchedKind kind, CancellationToken cancellationToken) =>
        ClientOf(kind).GetAsync(null, name, cancellationToken);

    /// <summary>One object as it is, several as a List, as <c>kubectl create -f</c> reads both.</summary>
    private static JsonObject ListOf(JsonObject[] objects) =>
        objects.Length == 1
            ? objects[0]
            : new()
            {
                ["apiVersion"] = "v1",
                ["kind"] = "List",
                ["items"] = new JsonArray([.. objects.Select(item => item.DeepClone())]),
            };

    private static IList<JsonNode?> ItemsOf(JsonObject stored)
    {
        // Not a conditional expression, which would create a JsonArray by a method that cannot be compiled ahead of time.
        if (stored.Text("kind") != "List")
            return [stored];
        return stored["items"] as IList<JsonNode?> ?? [];
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

    private ConfigMapStore StoreOf(IReadOnlyList<JsonObject> objects) =>
        objects
            .Select(webhook => webhook.Text("metadata", "annotations", ConfigMapStore.PlaceAnnotation))
            .OfType<string>()
            .Select(place => ConfigMapStore.Parse(client, place))
            .OfType<ConfigMapStore>()
            .FirstOrDefault()
        ?? throw new WebhookSwitchException(
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
        All.FirstOrDefault(kind => kind.Kind == item.Text("kind") && kind.Type.GroupVersion == (item.Text("apiVersion") ?? $"{Group}/v1"));

    private static IEnumerable<SwitchedKind> Versions(string kind, string plural) =>
        from version in PolicyVersions
        select new SwitchedKind(new ResourceType($"{Group}/{version}", plural), kind);
}

/// <summary>What disabling removed.</summary>
/// <param name="Store">Where it is stored.</param>
/// <param name="Kinds">The kinds of the objects.</param>
/// <param name="Fault">Why another object of that name remains, and still rewrites images; null if none does.</param>
internal sealed record RemovedObjects(IRemovedWebhookStore Store, IReadOnlyList<string> Kinds, string? Fault);

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
