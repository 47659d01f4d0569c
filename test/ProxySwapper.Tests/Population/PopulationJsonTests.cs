using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.Extensions.Time.Testing;
using ProxySwapper.Kubernetes;
using ProxySwapper.Population;
using ProxySwapper.Population.Cluster;
using ProxySwapper.Population.Gates;
using ProxySwapper.Population.Queue;
using ProxySwapper.Population.Work;
using ProxySwapper.Registry;
using ProxySwapper.Registry.Timing;
using ProxySwapper.Testing.Time;

namespace ProxySwapper.Tests.Population;

[TestFixture]
internal sealed class PopulationJsonTests
{
    [Test]
    public async Task Shows_what_runs_waits_and_failed_with_reason_and_next_try()
    {
        var time = new FakeTimeProvider(new DateTimeOffset(2026, 1, 1, 0, 0, 0, TimeSpan.Zero));
        var queue = new PopulationQueue(PopulateRules.Of(new() { MaxRetries = 1 }), time, new Backoff(() => 0.5));
        var givenUp = new FailedImages(time);
        foreach (var name in new[] { "gone", "failing", "running", "queued" })
            queue.TryEnqueue(
                new CopyWork(ImageReference.Parse($"up.example.com/{name}:1"), ImageReference.Parse($"down.example.com/{name}:1"), []),
                new("n", "p", "default", [])
            );
        givenUp.Add(queue.Failed((await queue.TakeAsync(default))!, new("MANIFEST_UNKNOWN", FailureKind.Permanent)).Single());
        queue.Failed((await queue.TakeAsync(default))!, new("500", FailureKind.Transient));
        var running = (await queue.TakeAsync(default))!;
        (running.BytesDone, running.BytesTotal) = (5, 10);

        var lease = new Lease("proxyswapper", "proxyswapper-abc")
        {
            HolderIdentity = "replica-2",
            AcquireTime = time.GetUtcNow(),
            Annotations = new Dictionary<string, string>
            {
                [CopyClaims.TargetAnnotation] = "down.example.com/theirs:1",
                [CopyClaims.SourceAnnotation] = "up.example.com/theirs:1",
            },
        };
        var pod = new GatedPod
        {
            Namespace = "team",
            Name = "web",
            Uid = "u",
            CreatedAt = time.GetUtcNow(),
            GateIndex = 0,
            HasLabel = true,
            Images = [new GatedImage("/spec/containers/0/image", "down.example.com/queued:1", "queued", "key")],
        };
        var json = Write(queue, givenUp, [lease], [(pod, time.GetUtcNow())]);
        Assert.That(
            JsonNode.DeepEquals(
                json,
                JsonNode.Parse(
                    """
                    {
                      "known": 0,
                      "running": [{"target": "down.example.com/running:1", "kind": "copy", "source": "up.example.com/running:1",
                        "failures": 0, "startedAt": "2026-01-01T00:00:00+00:00", "bytes": 5, "totalBytes": 10}],
                      "queued": [{"target": "down.example.com/queued:1", "kind": "copy", "source": "up.example.com/queued:1",
                        "failures": 0, "queuedAt": "2026-01-01T00:00:00+00:00"}],
                      "failed": [{"target": "down.example.com/failing:1", "kind": "copy", "source": "up.example.com/failing:1",
                        "failures": 1, "reason": "500",
                        "nextTry": "2026-01-01T00:00:01+00:00"}],
                      "givenUp": [{"target": "down.example.com/gone:1", "kind": "copy", "source": "up.example.com/gone:1",
                        "failures": 1, "reason": "MANIFEST_UNKNOWN",
                        "at": "2026-01-01T00:00:00+00:00"}],
                      "claims": [{"target": "down.example.com/theirs:1", "source": "up.example.com/theirs:1", "holder": "replica-2",
                        "since": "2026-01-01T00:00:00+00:00"}],
                      "gated": [{"namespace": "team", "pod": "web", "since": "2026-01-01T00:00:00+00:00",
                        "images": ["down.example.com/queued:1"]}],
                      "more": {}
                    }
                    """
                )
            ),
            Is.True,
            json.ToJsonString()
        );
    }

    [Test]
    public void A_list_is_limited_and_the_rest_is_counted()
    {
        var time = new FakeTimeProvider();
        var queue = new PopulationQueue(PopulateRules.Of(new()), time, new Backoff(() => 0.5));
        for (var image = 0; image < 201; image++)
            queue.TryEnqueue(
                new CopyWork(ImageReference.Parse($"up.example.com/{image}:1"), ImageReference.Parse($"down.example.com/{image}:1"), []),
                new($"namespace-{image}", "p", "default", [])
            );
        var pods = Enumerable.Range(0, 1_500).Select(number => (PodOf(number), time.GetUtcNow()));
        var json = Write(queue, new FailedImages(time), [], pods);
        Assert.That((json["gated"]!.AsArray().Count, json["queued"]!.AsArray().Count), Is.EqualTo((200, 200)));
        Assert.That((string?)json["gated"]![199]!["pod"], Is.EqualTo("web-199"), "the first ones");
        Assert.That(json["more"]!.ToJsonString(), Is.EqualTo("""{"queued":1,"gated":1300}"""));
    }

    [TestCase(-3)]
    [TestCase(3)]
    public async Task A_correction_of_the_clock_corrects_the_times(int hours)
    {
        var time = new ManualTimeProvider();
        var queue = new PopulationQueue(PopulateRules.Of(new()), time, new Backoff(() => 0.5));
        var givenUp = new FailedImages(time);
        foreach (var name in new[] { "gone", "failing", "running", "queued" })
            queue.TryEnqueue(
                new CopyWork(ImageReference.Parse($"up.example.com/{name}:1"), ImageReference.Parse($"down.example.com/{name}:1"), []),
                new("n", "p", "default", [])
            );
        givenUp.Add(queue.Failed((await queue.TakeAsync(default))!, new("MANIFEST_UNKNOWN", FailureKind.Permanent)).Single());
        queue.Failed((await queue.TakeAsync(default))!, new("500", FailureKind.Transient));
        await queue.TakeAsync(default);
        time.Correction = TimeSpan.FromHours(hours);
        var json = Write(queue, givenUp, [], []);
        var now = time.GetUtcNow();
        Assert.That(
            new[] { ("running", "startedAt"), ("queued", "queuedAt"), ("failed", "nextTry"), ("givenUp", "at") }.Select(field =>
                (DateTimeOffset)json[field.Item1]![0]![field.Item2]!
            ),
            Is.EqualTo(new[] { now, now, now + TimeSpan.FromSeconds(1), now })
        );
    }

    private static GatedPod PodOf(int number) =>
        new()
        {
            Namespace = "team",
            Name = $"web-{number}",
            Uid = $"u{number}",
            CreatedAt = DateTimeOffset.UnixEpoch,
            GateIndex = 0,
            HasLabel = true,
            Images = [],
        };

    private static JsonNode Write(PopulationQueue queue, FailedImages failed, Lease[] claims, IEnumerable<(GatedPod, DateTimeOffset)> gated)
    {
        using var body = new MemoryStream();
        using (var json = new Utf8JsonWriter(body))
        {
            json.WriteStartObject();
            PopulationJson.Write(json, queue, failed.Snapshot(), claims, gated);
            json.WriteEndObject();
        }
        return JsonNode.Parse(body.ToArray())!;
    }
}
