using System.Text.Json;
using ProxySwapper.Management;
using ProxySwapper.Population.Cluster;
using ProxySwapper.Population.Gates;
using ProxySwapper.Population.Queue;

namespace ProxySwapper.Population;

/// <summary><c>GET /populate</c> of the management port: queued, running and failed images, with the time of the next retry.</summary>
internal sealed class PopulateEndpoint(
    PopulationQueue queue,
    FailedImages failed,
    ClaimWatch claims,
    GatedPods gated,
    PopulationSummary summary
) : IManagementPage
{
    public string Path => "/populate";

    public bool IsOpen => false;

    public async Task RespondAsync(HttpContext context)
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer, new JsonWriterOptions { Indented = true }))
        {
            json.WriteStartObject();
            var waiting = gated.Snapshot().Select(state => (state.Pod, gated.Clock.ToSystemTime(state.Since)));
            PopulationJson.Write(json, queue, failed.Snapshot(), claims.Held, waiting);
            summary.WriteTo(json);
            json.WriteEndObject();
        }
        context.Response.ContentType = "application/json";
        await context.Response.BodyWriter.WriteAsync(buffer.GetBuffer().AsMemory(0, (int)buffer.Length), context.RequestAborted);
    }
}
