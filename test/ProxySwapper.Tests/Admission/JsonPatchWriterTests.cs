using System.Buffers;
using System.Text;
using System.Text.Json.Nodes;
using ProxySwapper.Admission;
using ProxySwapper.Admission.Json;
using ProxySwapper.Configuration;
using ProxySwapper.Rules;

namespace ProxySwapper.Tests.Admission;

/// <summary>The parts of a decision other than images: labels, annotations and a scheduling gate, for every shape of a Pod.</summary>
[TestFixture]
internal sealed class JsonPatchWriterTests
{
    private const string Gate = "proxyswapper.io/image";

    private static readonly RuleSet Rules = RuleSet.Compile(new ProxySwapperOptions { ProxyUrl = "r.example" });

    private static readonly string[] Metadata =
    [
        "",
        "\"metadata\":null,",
        "\"metadata\":{},",
        "\"metadata\":{\"labels\":null,\"annotations\":{}},",
        "\"metadata\":{\"labels\":{\"a\":\"b\",\"x/gated\":\"old\"},\"annotations\":{\"x/why\":\"old\"}},",
    ];

    private static readonly string[] Gates =
    [
        "",
        "\"schedulingGates\":null,",
        "\"schedulingGates\":[],",
        "\"schedulingGates\":[{\"name\":\"a/b\"}],",
    ];

    [Test]
    public void A_decisions_labels_annotations_and_gate_are_added_to_any_Pod(
        [ValueSource(nameof(Metadata))] string metadata,
        [ValueSource(nameof(Gates))] string gates,
        [Values("nginx", "r.example/library/nginx:1")] string image
    )
    {
        var pod = $$"""{{{metadata}}"spec":{{{gates}}"containers":[{"name":"web","image":"{{image}}"}]} }""";
        var patched = Patch(
            pod,
            decision =>
                decision with
                {
                    Labels = [new("x/gated", "true"), new("a~b/c", "d")],
                    Annotations = [new("x/why", "because \"so\"")],
                    SchedulingGate = Gate,
                }
        );
        var labels = patched["metadata"]!["labels"]!;
        var annotations = patched["metadata"]!["annotations"]!.AsObject();
        Assert.Multiple(() =>
        {
            Assert.That(((string?)labels["x/gated"], (string?)labels["a~b/c"]), Is.EqualTo(("true", "d")));
            Assert.That((string?)labels["k8s-proxy-image-swapper"], Is.EqualTo(image == "nginx" ? "patched-image" : null));
            Assert.That((string?)annotations["x/why"], Is.EqualTo("because \"so\""));
            Assert.That(annotations.ContainsKey("original-image.proxyswapper.io/web"), Is.EqualTo(image == "nginx"));
            Assert.That(
                patched["spec"]!["schedulingGates"]!.AsArray().Select(gate => (string?)gate!["name"]),
                Is.EqualTo(gates.Contains("a/b", StringComparison.Ordinal) ? ["a/b", Gate] : new[] { Gate })
            );
        });
    }

    [Test]
    public void An_existing_gate_is_not_added_again()
    {
        var patched = Patch(
            $$"""{"spec":{"schedulingGates":[{"name":"a/b"},{"name":"{{Gate}}"}],"containers":[{"name":"web","image":"nginx"}]} }""",
            decision => decision with { SchedulingGate = Gate }
        );
        Assert.That(patched["spec"]!["schedulingGates"]!.AsArray(), Has.Count.EqualTo(2));
    }

    private static JsonNode Patch(string pod, Func<PodDecision, PodDecision> change)
    {
        var reviewer = new AdmissionReviewer(Rules);
        var body = Encoding.UTF8.GetBytes(
            $$"""
            {"apiVersion":"admission.k8s.io/v1",
             "request":{"uid":"u","kind":{"kind":"Pod"},"operation":"CREATE","namespace":"default","object":{{pod}} } }
            """
        );
        Assert.That(reviewer.TryRead(new ReadOnlySequence<byte>(body), out var review, out var error), Is.True, error);
        using var response = new Utf8JsonBuffer();
        reviewer.Write(response, review!, change(reviewer.Decide(review!)));
        return IndependentPatch.Apply(JsonNode.Parse(pod)!, GoldenTests.PatchOf(JsonNode.Parse(response.Written)!["response"]!)!);
    }
}
