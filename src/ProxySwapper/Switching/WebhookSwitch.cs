using System.Net;
using System.Text.Json.Nodes;
using ProxySwapper.Kubernetes;

namespace ProxySwapper.Switching;

/// <summary>
/// Takes the webhook's configuration, or the admission policy's binding, out of the API server and puts the same back. Either can be said
/// twice, and between keeping and removing nothing can be lost: only the very version that was kept is removed.
/// </summary>
internal sealed class WebhookSwitch(KubernetesClient client, string name)
{
    public const string DefaultName = "k8s-proxy-image-swapper-webhook";

    /// <summary>How often somebody else may change the configuration just when it is removed.</summary>
    private const int MaximumAttempts = 5;

    /// <summary>What the API server sets itself and takes from nobody.</summary>
    private static readonly IReadOnlyList<string> ServerFields =
    [
        "uid",
        "resourceVersion",
        "generation",
        "creationTimestamp",
        "managedFields",
        "selfLink",
    ];

    /// <summary>Removes the configuration, or binding and policy; false when nothing was there.</summary>
    public async Task<bool> DiscardAsync(CancellationToken cancellationToken)
    {
        var isRemoved = false;
        // The binding goes first: without it no replica makes the policy anew.
        foreach (var kind in SwitchedKind.All.Concat(SwitchedKind.Policies))
            isRemoved |= await ClientOf(kind).DeleteAsync(null, name, null, cancellationToken);
        return isRemoved;
    }

    /// <summary>Keeps the configuration and removes it.</summary>
    /// <param name="store">Where it is kept; null means the ConfigMap that the configuration names.</param>
    /// <param name="cancellationToken">Ends the call.</param>
    /// <returns>Where it is kept, or null when it was not there.</returns>
    /// <exception cref="WebhookSwitchException">It cannot be kept; then nothing was removed.</exception>
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
                // cert-manager put a new authority in, or somebody edited it: that is what must be kept.
            }
        }
    }

    /// <summary>Puts back what was kept.</summary>
    /// <exception cref="WebhookSwitchException">Nothing usable is kept.</exception>
    public async Task<EnableOutcome> EnableAsync(IRemovedWebhookStore store, CancellationToken cancellationToken)
    {
        if (await store.FindAsync(cancellationToken) is not { } webhook)
            return await FindAsync(cancellationToken) is not null
                ? EnableOutcome.WasInPlace
                : throw new WebhookSwitchException(
                    $"nothing is kept in {store}, and {name} is not in place: upgrade the chart to reinstate it"
                );
        if (SwitchedKind.Of(webhook) is not { } kind || (string?)webhook["metadata"]?["name"] != name)
            throw new WebhookSwitchException(
                $"what is kept in {store} is not a MutatingWebhookConfiguration or MutatingAdmissionPolicyBinding named {name}"
            );
        var outcome = await CreateAsync(kind, WithoutServerFields(webhook), cancellationToken);
        await store.ForgetAsync(cancellationToken);
        return outcome;
    }

    /// <summary>What is in force, with its kind.</summary>
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
            return EnableOutcome.PutBack;
        }
        catch (KubernetesException fault) when (fault.Reason == "AlreadyExists")
        {
            // An upgrade of the chart was faster, and what it made is newer.
            return EnableOutcome.WasInPlace;
        }
    }

    private ConfigMapStore StoreOf(JsonObject webhook) =>
        (string?)webhook["metadata"]?["annotations"]?[ConfigMapStore.PlaceAnnotation] is { } place
        && ConfigMapStore.Parse(client, place) is { } store
            ? store
            : throw new WebhookSwitchException(
                $"{name} has no annotation {ConfigMapStore.PlaceAnnotation} that says where to keep it: use "
                    + "--config-map NAMESPACE/NAME or --file FILE, or give it up with --discard"
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
