using System.Net;
using System.Text.Json;
using System.Text.Json.Nodes;
using ProxySwapper.Kubernetes;

namespace ProxySwapper.Switching;

/// <summary>Stores a webhook's configuration in an annotation of the release's ConfigMap, which upgrades leave alone.</summary>
internal sealed class ConfigMapStore(KubernetesClient client, string @namespace, string name) : IRemovedWebhookStore
{
    /// <summary>The chart's annotation of the webhook's configuration that names the ConfigMap, <c>namespace/name</c>.</summary>
    public const string PlaceAnnotation = "proxyswapper.io/config-map";

    /// <summary>The chart's label of the ConfigMap that names the webhook's configuration.</summary>
    private const string WebhookLabel = "proxyswapper.io/webhook";

    private const string KeptAnnotation = "proxyswapper.io/disabled-webhook";

    private readonly ResourceClient _maps = new(client, ResourceType.ConfigMaps);

    /// <summary>A store by <c>namespace/name</c>; null if the text has another form.</summary>
    public static ConfigMapStore? Parse(KubernetesClient client, string place) =>
        place.Split('/') is [{ Length: > 0 } @namespace, { Length: > 0 } name] ? new ConfigMapStore(client, @namespace, name) : null;

    /// <summary>Finds the ConfigMap of the release that created a webhook.</summary>
    /// <exception cref="WebhookSwitchException">There is none, or more than one.</exception>
    public static async Task<ConfigMapStore> FindOfAsync(KubernetesClient client, string webhook, CancellationToken cancellationToken)
    {
        var found = new List<(string Namespace, string Name)>();
        try
        {
            var query = new ResourceQuery(ResourceType.ConfigMaps) { LabelSelector = $"{WebhookLabel}={webhook}" };
            await foreach (var place in new ResourceLister(client).ListAsync(query, PlaceOf, cancellationToken))
                found.Add(place);
        }
        catch (KubernetesException fault) when (fault.Status == HttpStatusCode.Forbidden)
        {
            throw new WebhookSwitchException("no permission to find the release's ConfigMap; use --config-map NAMESPACE/NAME", fault);
        }
        return found switch
        {
            [var (@namespace, name)] => new ConfigMapStore(client, @namespace, name),
            [] => throw new WebhookSwitchException(
                $"no ConfigMap has the label {WebhookLabel}={webhook}: use --config-map NAMESPACE/NAME or --file FILE"
            ),
            _ => throw new WebhookSwitchException(
                $"several ConfigMaps have the label {WebhookLabel}={webhook}: "
                    + $"use --config-map with one of {string.Join(", ", found.Select(place => $"{place.Namespace}/{place.Name}"))}"
            ),
        };
    }

    public async Task KeepAsync(JsonObject webhook, CancellationToken cancellationToken)
    {
        try
        {
            await AnnotateAsync(webhook.ToJsonString(), cancellationToken);
        }
        catch (KubernetesException fault) when (fault.Status == HttpStatusCode.NotFound)
        {
            throw new WebhookSwitchException(
                $"{this} not found, so nothing was removed: keep the configuration with --file FILE, or drop it with --discard",
                fault
            );
        }
    }

    public async Task<JsonObject?> FindAsync(CancellationToken cancellationToken)
    {
        var map = await _maps.GetAsync(@namespace, name, cancellationToken) ?? throw new WebhookSwitchException($"{this} not found");
        if (map.Text("metadata", "annotations", KeptAnnotation) is not { Length: > 0 } kept)
            return null;
        try
        {
            return JsonNode.Parse(kept, documentOptions: JsonFields.Strict) as JsonObject
                ?? throw new WebhookSwitchException($"the annotation {KeptAnnotation} of {this} does not contain a JSON object");
        }
        catch (JsonException fault)
        {
            throw new WebhookSwitchException($"the annotation {KeptAnnotation} of {this} is not valid JSON: {fault.Message}", fault);
        }
    }

    public Task ForgetAsync(CancellationToken cancellationToken) => AnnotateAsync(null, cancellationToken);

    public override string ToString() => $"ConfigMap {@namespace}/{name}";

    private Task<JsonObject> AnnotateAsync(string? value, CancellationToken cancellationToken) =>
        _maps.PatchAsync(
            @namespace,
            name,
            PatchKind.Merge,
            new JsonObject { ["metadata"] = new JsonObject { ["annotations"] = new JsonObject { [KeptAnnotation] = value } } },
            cancellationToken
        );

    private static (string Namespace, string Name) PlaceOf(JsonElement map) =>
        (map.TextOrEmpty("metadata", "namespace"), map.TextOrEmpty("metadata", "name"));
}
