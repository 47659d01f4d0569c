using System.Buffers;
using System.Text;
using System.Text.Json.Nodes;
using FsCheck;
using FsCheck.Fluent;
using ProxySwapper.Admission;
using ProxySwapper.Admission.Json;

namespace ProxySwapper.Tests.Admission;

[TestFixture]
internal sealed class AdmissionPropertyTests
{
    private const string Configuration =
        "proxyUrl: r.example:5000/mirror\npatchLabel: {key: a.example/b, value: c}\nignoreImages: [registry]";

    private static readonly string[] Lists = ["containers", "initContainers", "ephemeralContainers"];

    [FsCheck.NUnit.Property(MaxTest = 500)]
    public Property A_patch_applies_and_changes_nothing_but_images_label_and_annotations() =>
        Prop.ForAll(
            RandomPods.All.ToArbitrary(),
            pod =>
            {
                var (_, result) = GoldenTests.Review(Configuration, Review(pod));
                if (GoldenTests.PatchOf(result["response"]!) is not { } patch)
                    return true;
                var patched = IndependentPatch.Apply(pod, patch).AsObject();
                var (_, second) = GoldenTests.Review(Configuration, Review(patched));
                return second["response"]!["patch"] is null && JsonNode.DeepEquals(WithoutOurs(patched), WithoutOurs(pod));
            }
        );

    [FsCheck.NUnit.Property(MaxTest = 500)]
    public Property An_update_changes_no_image_that_was_there_before() =>
        Prop.ForAll(
            RandomPods.All.ToArbitrary(),
            RandomPods.All.ToArbitrary(),
            Gen.Elements("", "ephemeralcontainers").ToArbitrary(),
            (pod, old, subResource) =>
            {
                var (_, result) = GoldenTests.Review(Configuration, Review(pod, old, subResource));
                if (GoldenTests.PatchOf(result["response"]!) is not { } patch)
                    return true;
                var patched = IndependentPatch.Apply(pod, patch).AsObject();
                var (before, sent, after) = (ImagesOf(old), ImagesOf(pod), ImagesOf(patched));
                var changed = sent.Where((image, index) => image != after[index]).ToList();
                return changed.Count > 0
                    && !changed.Any(before.Contains)
                    && JsonNode.DeepEquals(WithoutOurs(patched), WithoutOurs(pod))
                    && (
                        subResource.Length == 0
                        || changed.All(image => image.List == "ephemeralContainers")
                            && JsonNode.DeepEquals(patched["metadata"], pod["metadata"])
                    );
            }
        );

    [FsCheck.NUnit.Property(MaxTest = 1000)]
    public bool No_bytes_make_the_reader_throw(byte[] bytes)
    {
        var body = new ReadOnlySequence<byte>(bytes ?? []);
        return !AdmissionReviewReader.TryRead(body, "k", out _, out var fault) && fault is not null;
    }

    [FsCheck.NUnit.Property(MaxTest = 1000)]
    public bool No_damage_to_a_review_makes_the_reader_or_the_decision_throw(int at, byte value, int cut)
    {
        var bytes = Review(
            RandomPods.Pod(
                true,
                new JsonObject(),
                new JsonArray(new JsonObject { ["image"] = "nginx" }),
                new JsonArray(),
                new JsonArray(),
                new JsonArray()
            )
        );
        bytes[(uint)at % bytes.Length] = value;
        var body = new ReadOnlySequence<byte>(bytes, 0, cut % 3 == 0 ? (int)((uint)cut % bytes.Length) : bytes.Length);
        var rules = ProxySwapper.Rules.RuleSet.Compile(new ProxySwapper.Configuration.ProxySwapperOptions { ProxyUrl = "r.example" });
        using var response = new Utf8JsonBuffer();
        return new AdmissionReviewer(rules).TryReview(body, response, out var error) == error is null;
    }

    [Test]
    public void A_review_is_read_the_same_in_one_piece_and_byte_by_byte()
    {
        var bytes = Review(
            RandomPods.Pod(
                true,
                new JsonObject { ["labels"] = new JsonObject { ["a.example/b"] = "x" } },
                new JsonArray(new JsonObject { ["name"] = "web", ["image"] = "größe/x" }),
                new JsonArray(),
                new JsonArray(),
                new JsonArray()
            )
        );
        AdmissionReviewReader.TryRead(new ReadOnlySequence<byte>(bytes), "a.example/b", out var whole, out _);
        AdmissionReviewReader.TryRead(Segments(bytes), "a.example/b", out var pieces, out var fault);
        Assert.That(pieces, Is.Not.Null, fault);
        Assert.That(pieces!.Object!.Images, Is.EqualTo(whole!.Object!.Images));
        Assert.That(pieces.Object.PatchLabel, Is.EqualTo("x"));
    }

    [TestCase("", "not valid JSON"), TestCase("[]", "not an object"), TestCase("{}", "apiVersion"), TestCase("nonsense", "not valid JSON")]
    [TestCase("""{"apiVersion":"admission.k8s.io/v2","request":{}}""", "apiVersion")]
    [TestCase("""{"apiVersion":"admission.k8s.io/v1"}""", "no request")]
    [TestCase("""{"apiVersion":"admission.k8s.io/v1","request":null}""", "no request")]
    [TestCase("""{"apiVersion":"admission.k8s.io/v1","request":{}}""", "no uid")]
    [TestCase("""{"apiVersion":"admission.k8s.io/v1","request":{"uid":"a","operation":"CREATE"}}""", "no object")]
    [TestCase("""{"apiVersion":"admission.k8s.io/v1","request":{"uid":"a","operation":"UPDATE","object":null}}""", "no object")]
    [TestCase("""{"apiVersion":"admission.k8s.io/v1","request":{"uid":"a"}} {}""", "not valid JSON")]
    [TestCase("""{"apiVersion":"admission.k8s.io/v1","request":{"uid":"\ud800"}}""", "not valid JSON")]
    public void Invalid_reviews_are_rejected_with_the_reason(string body, string reason)
    {
        AdmissionReviewReader.TryRead(new ReadOnlySequence<byte>(Encoding.UTF8.GetBytes(body)), "k", out _, out var fault);
        Assert.That(fault, Does.Contain(reason));
    }

    [Test]
    public void Nesting_has_a_limit()
    {
        var body = Encoding.UTF8.GetBytes(
            $$"""{"apiVersion":"admission.k8s.io/v1","request":{{string.Concat(Enumerable.Repeat("[", 100_000))}}"""
        );
        Assert.That(AdmissionReviewReader.TryRead(new ReadOnlySequence<byte>(body), "k", out _, out var fault), Is.False, fault);
    }

    [Test]
    public void A_review_allocates_little_and_unneeded_parts_allocate_nothing()
    {
        var rules = ProxySwapper.Rules.RuleSet.Compile(new ProxySwapper.Configuration.ProxySwapperOptions { ProxyUrl = "r.example" });
        var small = Review(
            RandomPods.Pod(
                true,
                new JsonObject(),
                new JsonArray(new JsonObject { ["name"] = "web", ["image"] = "nginx" }),
                new JsonArray(),
                new JsonArray(),
                new JsonArray()
            )
        );
        var padded = Review(
            RandomPods.Pod(
                true,
                new JsonObject(),
                new JsonArray(
                    new JsonObject
                    {
                        ["name"] = "web",
                        ["image"] = "nginx",
                        ["env"] = new JsonArray([.. Enumerable.Range(0, 5000).Select(index => (JsonNode)$"value {index}")]),
                    }
                ),
                new JsonArray(),
                new JsonArray(),
                new JsonArray()
            )
        );
        Assert.Multiple(() =>
        {
            Assert.That(Allocated(small), Is.LessThan(1500));
            Assert.That(Allocated(padded), Is.EqualTo(Allocated(small)), "a larger Pod with the same images");
        });

        long Allocated(byte[] body)
        {
            var sequence = new ReadOnlySequence<byte>(body);
            using var output = new Utf8JsonBuffer();
            long before = 0;
            for (var round = 0; round < 20; round++)
            {
                before = GC.GetAllocatedBytesForCurrentThread();
                new AdmissionReviewer(rules).TryReview(sequence, output, out _);
            }
            return GC.GetAllocatedBytesForCurrentThread() - before;
        }
    }

    private static byte[] Review(JsonObject pod, JsonObject? old = null, string subResource = "") =>
        Encoding.UTF8.GetBytes(
            new JsonObject
            {
                ["apiVersion"] = "admission.k8s.io/v1",
                ["request"] = new JsonObject
                {
                    ["uid"] = "u",
                    ["kind"] = new JsonObject { ["kind"] = "Pod" },
                    ["operation"] = old is null ? "CREATE" : "UPDATE",
                    ["subResource"] = subResource,
                    ["namespace"] = "default",
                    ["object"] = pod.DeepClone(),
                    ["oldObject"] = old?.DeepClone(),
                },
            }.ToJsonString()
        );

    /// <summary>Every image of a Pod with its JSON path.</summary>
    private static List<(string List, string Name, string Image)> ImagesOf(JsonObject pod) =>
        [
            .. from list in Lists
            from container in pod["spec"]![list] as JsonArray ?? []
            select (list, $"{container["name"]}", $"{container["image"]}"),
            .. from volume in pod["spec"]!["volumes"] as JsonArray ?? []
            select ("volumes", $"{volume["name"]}", $"{volume["image"]!["reference"]}"),
        ];

    private static JsonObject WithoutOurs(JsonObject pod)
    {
        var copy = pod.DeepClone().AsObject();
        foreach (var list in Lists)
        foreach (var container in copy["spec"]![list] as JsonArray ?? [])
            container!.AsObject().Remove("image");
        foreach (var volume in copy["spec"]!["volumes"] as JsonArray ?? [])
            volume!["image"]!.AsObject().Remove("reference");
        if (copy["metadata"] is JsonObject metadata)
        {
            Prune(metadata, "labels", key => key == "a.example/b");
            Prune(metadata, "annotations", key => key.StartsWith("original-image.", StringComparison.Ordinal));
            if (metadata.Count == 0)
                copy.Remove("metadata");
        }
        else
        {
            copy.Remove("metadata");
        }
        return copy;
    }

    /// <summary>An empty map, null and a missing key are the same to an API server.</summary>
    private static void Prune(JsonObject metadata, string map, Predicate<string> isOurs)
    {
        if (metadata[map] is JsonObject members)
            foreach (var key in members.Select(member => member.Key).Where(key => isOurs(key)).ToList())
                members.Remove(key);
        if (metadata[map] is null or JsonObject { Count: 0 })
            metadata.Remove(map);
    }

    private static ReadOnlySequence<byte> Segments(byte[] bytes)
    {
        var first = new Segment(bytes.AsMemory(0, 1), null);
        var last = first;
        for (var index = 1; index < bytes.Length; index++)
            last = new Segment(bytes.AsMemory(index, 1), last);
        return new ReadOnlySequence<byte>(first, 0, last, 1);
    }

    private sealed class Segment : ReadOnlySequenceSegment<byte>
    {
        public Segment(ReadOnlyMemory<byte> memory, Segment? previous)
        {
            Memory = memory;
            if (previous is null)
                return;
            RunningIndex = previous.RunningIndex + previous.Memory.Length;
            previous.Next = this;
        }
    }
}
