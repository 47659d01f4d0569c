using System.Text.Json.Nodes;
using Microsoft.AspNetCore.JsonPatch;
using Newtonsoft.Json;
using Newtonsoft.Json.Linq;

namespace ProxySwapper.Tests.Admission;

/// <summary>Applies a JSON patch with a third-party implementation.</summary>
internal static class IndependentPatch
{
    /// <exception cref="Microsoft.AspNetCore.JsonPatch.Exceptions.JsonPatchException">The patch does not apply.</exception>
    public static JsonNode Apply(JsonNode document, JsonNode patch)
    {
        var settings = new JsonSerializerSettings { DateParseHandling = DateParseHandling.None };
        var target = JsonConvert.DeserializeObject<JObject>(document.ToJsonString(), settings)!;
        JsonConvert.DeserializeObject<JsonPatchDocument>(patch.ToJsonString(), settings)!.ApplyTo(target);
        return JsonNode.Parse(target.ToString(Formatting.None))!;
    }
}
