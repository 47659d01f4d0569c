using System.Buffers;
using System.Text.Json.Nodes;
using ProxySwapper.Admission;
using ProxySwapper.Admission.Json;
using ProxySwapper.Configuration;
using ProxySwapper.Registry;
using ProxySwapper.Rules;

namespace ProxySwapper.Tests.Admission;

/// <summary>
/// Runs every folder of testdata/admission: config.yaml and review.json must result in patch.json, which, applied by an independent
/// implementation, must result in expected-pod.json. No patch.json means no patch. A new case is a new folder.
/// </summary>
[TestFixture]
internal sealed class GoldenTests
{
    private static IEnumerable<TestCaseData> Cases() => GoldenFile.Cases("admission");

    private static IEnumerable<TestCaseData> PatchedCases() =>
        Cases().Where(folder => File.Exists(Path.Combine((string)folder.Arguments[0]!, "expected-pod.json")));

    [TestCaseSource(nameof(Cases))]
    public void Case(string folder)
    {
        var (review, result) = Review(
            File.ReadAllText(Path.Combine(folder, "config.yaml")),
            File.ReadAllBytes(Path.Combine(folder, "review.json"))
        );
        var response = result["response"]!;
        var expectedPatch = ReadOptional(folder, "patch.json");
        var expectedResponse = ReadOptional(folder, "response.json");
        Assert.Multiple(() =>
        {
            Assert.That((bool)response["allowed"]!, Is.True);
            Assert.That((string?)response["uid"], Is.EqualTo((string?)review["request"]!["uid"]));
            Assert.That((string?)result["apiVersion"], Is.EqualTo((string?)expectedResponse?["apiVersion"] ?? "admission.k8s.io/v1"));
            Assert.That((string?)response["patchType"], Is.EqualTo(expectedPatch is null ? null : "JSONPatch"));
            var patch = PatchOf(response);
            Assert.That(JsonNode.DeepEquals(patch, expectedPatch), Is.True, $"the patch is {patch?.ToJsonString()}");
            var warnings = response["warnings"]?.AsArray() ?? [];
            var expectedWarnings = expectedResponse?["warnings"]?.AsArray() ?? [];
            Assert.That(
                warnings.Select(warning => (string)warning!).ToList(),
                Has.Count.EqualTo(expectedWarnings.Count),
                warnings.ToJsonString()
            );
            foreach (var (actual, expected) in warnings.Zip(expectedWarnings))
                Assert.That((string)actual!, Does.Contain((string)expected!));
            if (patch is not null)
                Assert.That(
                    JsonNode.DeepEquals(
                        IndependentPatch.Apply(review["request"]!["object"]!, patch),
                        ReadOptional(folder, "expected-pod.json")
                    ),
                    Is.True,
                    "the patched Pod"
                );
        });
    }

    [TestCaseSource(nameof(PatchedCases))]
    public void A_second_round_of_admission_changes_nothing(string folder)
    {
        var review = JsonNode.Parse(File.ReadAllBytes(Path.Combine(folder, "review.json")))!;
        review["request"]!["object"] = ReadOptional(folder, "expected-pod.json");
        var (_, result) = Review(
            File.ReadAllText(Path.Combine(folder, "config.yaml")),
            System.Text.Encoding.UTF8.GetBytes(review.ToJsonString())
        );
        Assert.That(result["response"]!["patch"], Is.Null);
    }

    [Test]
    public void There_are_at_least_50_cases_with_a_patch() => Assert.That(PatchedCases().Count(), Is.AtLeast(50));

    /// <summary>The review as parsed by an independent reader, and our response.</summary>
    internal static (JsonNode Review, JsonNode Result) Review(string configuration, byte[] body)
    {
        var rules = RuleSet.Compile(ConfigurationReader.ReadText("config.yaml", configuration, EnvironmentVariables.None));
        using var response = new Utf8JsonBuffer();
        Assert.That(new AdmissionReviewer(rules).TryReview(new ReadOnlySequence<byte>(body), response, out var error), Is.True, error);
        return (JsonNode.Parse(body)!, JsonNode.Parse(response.Written)!);
    }

    internal static JsonNode? PatchOf(JsonNode response) =>
        response["patch"] is { } patch ? JsonNode.Parse(Convert.FromBase64String((string)patch!)) : null;

    private static JsonNode? ReadOptional(string folder, string file) =>
        File.Exists(Path.Combine(folder, file)) ? JsonNode.Parse(File.ReadAllBytes(Path.Combine(folder, file))) : null;
}
