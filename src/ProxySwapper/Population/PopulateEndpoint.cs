using System.Text.Json;
using ProxySwapper.Kubernetes;
using ProxySwapper.Management;
using ProxySwapper.Population.Cluster;
using ProxySwapper.Population.Gates;
using ProxySwapper.Population.Queue;
using ProxySwapper.Population.Work;

namespace ProxySwapper.Population;

/// <summary><c>GET /populate</c> of the management port: queued, running and failed images, with the time of the next retry.</summary>
internal sealed class PopulateEndpoint(
    PopulationQueue queue,
    FailedImages givenUp,
    Func<IEnumerable<Lease>> claims,
    Func<IEnumerable<GatedPodState>> gated,
    Action<Utf8JsonWriter> writeSummary
) : IManagementPage
{
    public string Path => "/populate";

    public bool IsOpen => false;

    public async Task AnswerAsync(HttpContext context)
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer, new JsonWriterOptions { Indented = true }))
            Write(json);
        context.Response.ContentType = "application/json";
        await context.Response.BodyWriter.WriteAsync(buffer.GetBuffer().AsMemory(0, (int)buffer.Length), context.RequestAborted);
    }

    private void Write(Utf8JsonWriter json)
    {
        json.WriteStartObject();
        json.WriteNumber("known", queue.Known.Count);
        queue.Read(
            (running, waiting) =>
            {
                var all = waiting.ToList();
                WriteList(
                    json,
                    "running",
                    running,
                    job =>
                    {
                        json.WriteString("startedAt", job.StartedAt!.Value);
                        json.WriteNumber("bytes", job.BytesDone);
                        json.WriteNumber("totalBytes", job.BytesTotal);
                    }
                );
                WriteList(json, "queued", all.Where(job => job.Failures == 0), job => json.WriteString("queuedAt", job.QueuedAt));
                WriteList(
                    json,
                    "failed",
                    all.Where(job => job.Failures > 0),
                    job =>
                    {
                        json.WriteString("reason", job.LastFault);
                        json.WriteString("nextTry", job.ReadyAt);
                    }
                );
                return all.Count;
            }
        );
        json.WriteStartArray("givenUp");
        foreach (var image in givenUp.Snapshot())
        {
            json.WriteStartObject();
            WriteWork(json, image.Work, image.Failures);
            json.WriteString("reason", image.Fault);
            json.WriteString("at", image.At);
            json.WriteEndObject();
        }
        json.WriteEndArray();
        WriteClaims(json);
        WriteGated(json);
        writeSummary(json);
        json.WriteEndObject();
    }

    private void WriteClaims(Utf8JsonWriter json)
    {
        json.WriteStartArray("claims");
        foreach (var lease in claims())
        {
            json.WriteStartObject();
            json.WriteString("target", lease.Annotations.GetValueOrDefault(CopyClaims.TargetAnnotation));
            json.WriteString("source", lease.Annotations.GetValueOrDefault(CopyClaims.SourceAnnotation));
            json.WriteString("holder", lease.HolderIdentity);
            if (lease.AcquireTime is { } since)
                json.WriteString("since", since);
            if (lease.RenewTime is { } renewed)
                json.WriteString("renewedAt", renewed);
            json.WriteEndObject();
        }
        json.WriteEndArray();
    }

    private void WriteGated(Utf8JsonWriter json)
    {
        json.WriteStartArray("gated");
        foreach (var state in gated())
        {
            json.WriteStartObject();
            json.WriteString("namespace", state.Pod.Namespace);
            json.WriteString("pod", state.Pod.Name);
            json.WriteString("since", state.Since);
            json.WriteStartArray("images");
            foreach (var image in state.Pod.Images)
                json.WriteStringValue(image.Image);
            json.WriteEndArray();
            json.WriteEndObject();
        }
        json.WriteEndArray();
    }

    private static void WriteList(Utf8JsonWriter json, string name, IEnumerable<PopulationJob> jobs, Action<PopulationJob> writeRest)
    {
        json.WriteStartArray(name);
        foreach (var job in jobs)
        {
            json.WriteStartObject();
            WriteWork(json, job.Work, job.Failures);
            writeRest(job);
            json.WriteEndObject();
        }
        json.WriteEndArray();
    }

    private static void WriteWork(Utf8JsonWriter json, PopulationWork work, int failures)
    {
        json.WriteString("target", work.Target.ToString());
        json.WriteString("kind", work is CopyWork ? "copy" : "warmUp");
        if (work is CopyWork copy)
            json.WriteString("source", copy.Source.ToString());
        json.WriteNumber("failures", failures);
    }
}
