using System.Text.Json.Nodes;

namespace ProxySwapper.Kubernetes;

/// <summary>What an object must still match to be deleted; null members are ignored.</summary>
/// <param name="Uid">Distinguishes it from others of the same name.</param>
/// <param name="ResourceVersion">Changes with every update.</param>
internal sealed record Preconditions(string? Uid, string? ResourceVersion)
{
    /// <summary>The preconditions for an object that was read.</summary>
    public static Preconditions Of(JsonObject @object) => new(@object.Text("metadata", "uid"), @object.Text("metadata", "resourceVersion"));

    /// <summary>The JSON for DeleteOptions.</summary>
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
