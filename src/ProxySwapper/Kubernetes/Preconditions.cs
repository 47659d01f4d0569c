using System.Text.Json.Nodes;

namespace ProxySwapper.Kubernetes;

/// <summary>What an object must still be for it to be removed; a null member does not count.</summary>
/// <param name="Uid">Tells it from another one of that name.</param>
/// <param name="ResourceVersion">Tells whether somebody changed it.</param>
internal sealed record Preconditions(string? Uid, string? ResourceVersion)
{
    /// <summary>Those of an object as the API server gave it.</summary>
    public static Preconditions Of(JsonObject @object) =>
        new((string?)@object["metadata"]?["uid"], (string?)@object["metadata"]?["resourceVersion"]);

    /// <summary>As DeleteOptions have them.</summary>
    public JsonObject ToJson()
    {
        var json = new JsonObject();
        if (Uid is not null)
            json["uid"] = Uid;
        if (ResourceVersion is not null)
            json["resourceVersion"] = ResourceVersion;
        return json;
    }
}
