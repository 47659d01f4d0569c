using System.Buffers;
using System.Text;
using System.Text.Json.Nodes;
using ProxySwapper.Admission;
using ProxySwapper.Admission.Json;
using ProxySwapper.Configuration;
using ProxySwapper.Rules;

namespace ProxySwapper.Tests.Admission;

/// <summary>Reviews that golden cases cannot contain: duplicate keys, byte order marks, extreme sizes.</summary>
[TestFixture]
internal sealed class AdmissionReviewReaderTests
{
    private static readonly RuleSet Rules = RuleSet.Compile(new ProxySwapperOptions { ProxyUrl = "r.example" });

    [TestCase(
        """{"metadata":{"labels":{"k8s-proxy-image-swapper":"x"},"annotations":{"a":"b"}},"metadata":{}"""
            + ""","spec":{"containers":[{"name":"a","image":"nginx"}]}}""",
        "metadata"
    )]
    [TestCase(
        """{"metadata":{"labels":{"proxyswapper.io/ignore":"true"}},"metadata":{"name":"web"},"spec":{"containers":"""
            + """[{"name":"a","image":"nginx"}]}}""",
        "an opted-out Pod's metadata"
    )]
    [TestCase(
        """{"metadata":{"annotations":{"kubernetes.io/config.mirror":"x"},"annotations":null},"spec":{"containers":"""
            + """[{"name":"a","image":"nginx"}]}}""",
        "annotations"
    )]
    [TestCase(
        """{"metadata":{"labels":{"proxyswapper.io/ignore":"true"},"labels":{}},"spec":{"containers":[{"name":"a","image":"nginx"}]}}""",
        "labels"
    )]
    [TestCase(
        """{"spec":{"containers":[{"name":"a","image":"x"},{"name":"b","image":"y"}],"initContainers":"""
            + """[{"image":"z"}]},"spec":{"containers":[{"name":"a","image":"nginx"}]}}""",
        "the spec"
    )]
    [TestCase(
        """{"spec":{"containers":[{"name":"a","image":"x"},{"name":"b","image":"y"}],"containers":[{"name":"a","image":"nginx"}]}}""",
        "containers"
    )]
    [TestCase("""{"spec":{"containers":[{"name":"b","image":"y","name":"a","image":"nginx"}]}}""", "an image")]
    public void The_last_of_duplicate_keys_counts(string pod, string what)
    {
        var response = ResponseTo(Review(pod));
        var patch = GoldenTests.PatchOf(response);
        Assert.That(patch, Is.Not.Null, what);
        var last = IndependentPatch.Apply(LastOf(pod), patch!);
        Assert.Multiple(() =>
        {
            Assert.That(
                last["spec"]!.ToJsonString(),
                Is.EqualTo("""{"containers":[{"name":"a","image":"r.example/library/nginx:latest"}]}"""),
                what
            );
            Assert.That(last["metadata"]!["labels"]!.ToJsonString(), Is.EqualTo("""{"k8s-proxy-image-swapper":"patched-image"}"""), what);
            Assert.That(
                last["metadata"]!["annotations"]!.ToJsonString(),
                Is.EqualTo("""{"original-image.proxyswapper.io/a":"nginx"}"""),
                what
            );
        });
    }

    [Test]
    public void The_last_of_two_requests_counts() =>
        Assert.That(
            (string)
                ResponseTo(
                        Encoding.UTF8.GetBytes(
                            """{"request":{"uid":"1","kind":{"kind":"Pod"},"operation":"CREATE","object":{"spec":{"containers":"""
                                + """[{"image":"nginx"}]}}},"request":{"uid":"2"},"apiVersion":"admission.k8s.io/v1"}"""
                        )
                    )
                    .ToJsonString(),
            Is.EqualTo("""{"uid":"2","allowed":true}""")
        );

    [Test]
    public void A_byte_order_mark_is_ignored() =>
        Assert.That(ResponseTo([0xEF, 0xBB, 0xBF, .. Review("""{"spec":{"containers":[{"image":"nginx"}]}}""")])["patch"], Is.Not.Null);

    [Test]
    public void An_update_of_very_many_containers_takes_linear_time()
    {
        // Quadratic time for these numbers would be minutes.
        var containers = string.Join(',', Enumerable.Range(0, 100_000).Select(index => $$"""{"image":"a{{index}}"}"""));
        var again = string.Concat(Enumerable.Repeat(""","initContainers":[{"image":"x"}]""", 50_000));
        var pod = $$"""{"spec":{"containers":[{{containers}}]{{again}} } }""";
        var response = ResponseTo(Review(pod, pod, "UPDATE"));
        Assert.That(
            response.ToJsonString(),
            Is.EqualTo("""{"uid":"u","allowed":true,"warnings":["the Pod is left unchanged: it has more than 1000 images"]}""")
        );
    }

    [TestCase(1000, true), TestCase(1001, false)]
    public void A_Pod_with_too_many_images_is_left_unchanged(int images, bool isPatched)
    {
        var containers = string.Join(',', Enumerable.Range(0, images).Select(index => $$"""{"name":"c{{index}}","image":"a{{index}}"}"""));
        var response = ResponseTo(Review($$"""{"spec":{"containers":[{{containers}}]} }"""));
        Assert.That((response["patch"] is not null, response["warnings"] is null), Is.EqualTo((isPatched, isPatched)));
    }

    [Test]
    public void No_annotation_is_added_near_the_limit_since_the_Pod_would_be_rejected()
    {
        var pod =
            $$"""{"metadata":{"annotations":{"a":"{{new string('x', (256 * 1024) - 30)}}"} },"spec":{"containers":"""
            + $$"""[{"name":"a","image":"nginx"}]} }""";
        var response = ResponseTo(Review(pod));
        Assert.Multiple(() =>
        {
            Assert.That(
                GoldenTests.PatchOf(response)!.AsArray().Select(operation => (string)operation!["path"]!),
                Is.EqualTo(["/spec/containers/0/image", "/metadata/labels"])
            );
            Assert.That((string)response["warnings"]![0]!, Does.Contain("annotations are close to the size limit"));
        });
    }

    [TestCase(1_560_000, true, true)]
    [TestCase(1_564_400, true, false)]
    [TestCase(1_572_000, false, false)]
    public void A_Pod_near_the_limit_of_etcd_does_not_exceed_it(int size, bool isPatched, bool keepsOriginals)
    {
        // As Go writes it: six bytes for each character.
        var value = string.Concat(Enumerable.Repeat("\\u003c", size));
        var response = ResponseTo(
            Review($$"""{"metadata":{},"spec":{"containers":[{"name":"a","image":"nginx","args":["{{value}}"]}]} }""")
        );
        var paths = GoldenTests.PatchOf(response)?.AsArray().Select(operation => (string)operation!["path"]!).ToList();
        Assert.Multiple(() =>
        {
            Assert.That(paths is not null, Is.EqualTo(isPatched));
            Assert.That(paths?.Contains("/metadata/annotations") == true, Is.EqualTo(keepsOriginals));
            Assert.That((string?)response["warnings"]?[0], keepsOriginals ? Is.Null : Does.Contain("limit"));
        });
    }

    [Test]
    public void Warnings_stay_within_the_limit_of_API_servers_and_keep_their_reasons()
    {
        var images = string.Join(
            ',',
            Enumerable.Range(0, 200).Select(index => $$"""{"image":"{{index}}{{string.Concat(Enumerable.Repeat("😀", 500))}}"}""")
        );
        var warnings = ResponseTo(Review($$"""{"spec":{"containers":[{{images}}]} }"""))["warnings"]!
            .AsArray()
            .Select(warning => (string)warning!)
            .ToList();
        Assert.Multiple(() =>
        {
            Assert.That(warnings, Has.Count.GreaterThan(10).And.All.Length.LessThanOrEqualTo(256));
            Assert.That(warnings.Sum(warning => warning.Length), Is.LessThanOrEqualTo(4096));
            Assert.That(warnings, Has.All.Contains("…' left unchanged: ").And.All.Not.Contain("\uFFFD"));
        });
    }

    private static JsonNode ResponseTo(byte[] body)
    {
        using var response = new Utf8JsonBuffer();
        Assert.That(new AdmissionReviewer(Rules).TryReview(new ReadOnlySequence<byte>(body), response, out var error), Is.True, error);
        return JsonNode.Parse(response.Written)!["response"]!;
    }

    private static byte[] Review(string pod, string oldPod = "null", string operation = "CREATE") =>
        Encoding.UTF8.GetBytes(
            $$"""{"apiVersion":"admission.k8s.io/v1","request":{"uid":"u","kind":{"kind":"Pod"}"""
                + $$""","operation":"{{operation}}","namespace":"default","object":{{pod}},"oldObject":{{oldPod}} } }"""
        );

    /// <summary>The Pod as an independent reader parses it.</summary>
    private static JsonNode LastOf(string pod) =>
        JsonNode.Parse(
            Newtonsoft
                .Json.Linq.JObject.Load(
                    new Newtonsoft.Json.JsonTextReader(new StringReader(pod)),
                    new Newtonsoft.Json.Linq.JsonLoadSettings
                    {
                        DuplicatePropertyNameHandling = Newtonsoft.Json.Linq.DuplicatePropertyNameHandling.Replace,
                    }
                )
                .ToString()
        )!;
}
