using System.Text.Json;
using System.Text.Json.Nodes;
using ProxySwapper.Kubernetes;

namespace ProxySwapper.Reporting;

/// <summary>
/// Tells from the API server's schemas, which every authenticated user may read, whether the objects of a kind can have a Pod template
/// (<see href="https://kubernetes.io/docs/concepts/overview/kubernetes-api/#openapi-v3">OpenAPI V3</see>, Kubernetes 1.27).
/// </summary>
internal sealed class TemplateSchema(KubernetesClient client)
{
    private const string Reference = "$ref";

    /// <summary>Limit of references that lead to each other.</summary>
    private const int MaximumReferences = 8;

    private static readonly string[] Containers = ["spec", "template", "spec", "containers"];

    private readonly Dictionary<string, JsonObject?> _schemas = new(StringComparer.Ordinal);

    /// <summary>False if the schema of a custom kind shows that no object of it has <c>spec.template.spec.containers</c>.</summary>
    public async Task<bool> AllowsTemplateAsync(DiscoveredTemplate kind, CancellationToken cancellationToken)
    {
        if (!_schemas.TryGetValue(kind.Type.GroupVersion, out var schemas))
            _schemas[kind.Type.GroupVersion] = schemas = await ReadAsync(kind.Type.GroupVersion, cancellationToken);
        var found = schemas?.FirstOrDefault(schema => IsOf(schema.Value, kind)).Value;
        return schemas is null || found is null || Allows(schemas, found, Containers);
    }

    private async Task<JsonObject?> ReadAsync(string groupVersion, CancellationToken cancellationToken)
    {
        try
        {
            var document = await client.GetAsync($"/openapi/v3/apis/{groupVersion}", cancellationToken);
            return document?["components"]?["schemas"] as JsonObject;
        }
        catch (Exception problem) when (problem is KubernetesException or JsonException)
        {
            return null;
        }
    }

    private static bool IsOf(JsonNode? schema, DiscoveredTemplate kind) =>
        schema is JsonObject
        && schema["x-kubernetes-group-version-kind"] is JsonArray kinds
        && kinds
            .OfType<JsonObject>()
            .Any(each => each.Text("kind") == kind.Kind && $"{each.Text("group")}/{each.Text("version")}" == kind.Type.GroupVersion);

    /// <summary>Whether there can be something at a path. What a schema leaves open can be anything.</summary>
    private static bool Allows(JsonObject schemas, JsonNode? schema, ReadOnlySpan<string> path) =>
        Follow(schemas, schema) is { } value
        && (
            path.IsEmpty
            || value.IsTrue("x-kubernetes-preserve-unknown-fields")
            || value.IsTrue("x-kubernetes-embedded-resource")
            || value.ContainsKey(Reference)
            || value["additionalProperties"] is JsonObject
            || value.IsTrue("additionalProperties")
            || Allows(schemas, (value["properties"] as JsonObject)?[path[0]], path[1..])
        );

    /// <summary>The schema that a reference leads to; the reference itself if it leads nowhere.</summary>
    private static JsonObject? Follow(JsonObject schemas, JsonNode? schema)
    {
        var value = schema as JsonObject;
        for (var depth = 0; depth < MaximumReferences; depth++)
        {
            // Next to a default, Kubernetes wraps a reference.
            var name = value.Text(Reference) ?? ((value?["allOf"] as JsonArray)?.FirstOrDefault()).Text(Reference);
            if (name is null)
                return value;
            if (schemas[name[(name.LastIndexOf('/') + 1)..]] is not JsonObject next)
                return new JsonObject { [Reference] = name };
            value = next;
        }
        return new JsonObject { [Reference] = "" };
    }
}
