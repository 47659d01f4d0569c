using System.Text.Json;
using ProxySwapper.Kubernetes;
using ProxySwapper.Population.Cluster;
using ProxySwapper.Population.Gates;
using ProxySwapper.Population.Queue;
using ProxySwapper.Population.Work;

namespace ProxySwapper.Population;

/// <summary>The state of population as JSON.</summary>
internal static class PopulationJson
{
    /// <summary>The maximum number of items per list: a page is read every two seconds, and thousands of Pods may wait.</summary>
    private const int Longest = 200;

    /// <summary>Writes the properties of <c>/populate</c> about jobs, claims and gated Pods into an object.</summary>
    /// <param name="json">The writer, in that object.</param>
    /// <param name="queue">The queue.</param>
    /// <param name="failed">The images that failed for good.</param>
    /// <param name="claims">The Leases of copies.</param>
    /// <param name="gated">The Pods behind our gate, and since when they wait by the system's clock.</param>
    public static void Write(
        Utf8JsonWriter json,
        PopulationQueue queue,
        IEnumerable<FailedImage> failed,
        IEnumerable<Lease> claims,
        IEnumerable<(GatedPod Pod, DateTimeOffset Since)> gated
    )
    {
        var clock = queue.Clock;
        var more = new Dictionary<string, int>(StringComparer.Ordinal);
        json.WriteNumber("known", queue.Known.Count);
        queue.Read(
            (running, waiting) =>
            {
                var all = waiting.ToList();
                WriteList(
                    "running",
                    running,
                    job =>
                    {
                        WriteWork(json, job.Work, job.Failures);
                        json.WriteString("startedAt", clock.ToSystemTime(job.StartedAt!.Value));
                        json.WriteNumber("bytes", job.BytesDone);
                        json.WriteNumber("totalBytes", job.BytesTotal);
                    }
                );
                WriteList(
                    "queued",
                    all.Where(job => job.Failures == 0),
                    job =>
                    {
                        WriteWork(json, job.Work, job.Failures);
                        json.WriteString("queuedAt", clock.ToSystemTime(job.QueuedAt));
                    }
                );
                WriteList(
                    "failed",
                    all.Where(job => job.Failures > 0),
                    job =>
                    {
                        WriteWork(json, job.Work, job.Failures);
                        json.WriteString("reason", job.LastFault);
                        json.WriteString("nextTry", clock.ToSystemTime(job.ReadyAt));
                    }
                );
                return all.Count;
            }
        );
        WriteList(
            "givenUp",
            failed,
            image =>
            {
                WriteWork(json, image.Work, image.Failures);
                json.WriteString("reason", image.Fault);
                json.WriteString("at", image.At);
            }
        );
        WriteList("claims", claims, lease => WriteClaim(json, lease));
        WriteList("gated", gated, state => WriteGated(json, state.Pod, state.Since));
        json.WriteStartObject("more");
        foreach (var (name, count) in more)
            json.WriteNumber(name, count);
        json.WriteEndObject();

        void WriteList<T>(string name, IEnumerable<T> items, Action<T> write)
        {
            var count = 0;
            json.WriteStartArray(name);
            foreach (var item in items)
            {
                if (++count > Longest)
                    continue;
                json.WriteStartObject();
                write(item);
                json.WriteEndObject();
            }
            json.WriteEndArray();
            if (count > Longest)
                more[name] = count - Longest;
        }
    }

    private static void WriteClaim(Utf8JsonWriter json, Lease lease)
    {
        json.WriteString("target", lease.Annotations.GetValueOrDefault(CopyClaims.TargetAnnotation));
        json.WriteString("source", lease.Annotations.GetValueOrDefault(CopyClaims.SourceAnnotation));
        json.WriteString("holder", lease.HolderIdentity);
        if (lease.AcquireTime is { } since)
            json.WriteString("since", since);
        if (lease.RenewTime is { } renewed)
            json.WriteString("renewedAt", renewed);
    }

    private static void WriteGated(Utf8JsonWriter json, GatedPod pod, DateTimeOffset since)
    {
        json.WriteString("namespace", pod.Namespace);
        json.WriteString("pod", pod.Name);
        json.WriteString("since", since);
        json.WriteStartArray("images");
        foreach (var image in pod.Images)
            json.WriteStringValue(image.Image);
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
