using Microsoft.AspNetCore.Http;

namespace ProxySwapper.Tests.Reporting;

/// <summary>A report says whether there may be images that it does not show.</summary>
[TestFixture]
internal sealed class ReportCompletenessTests
{
    [TestCase("list nodes", false)]
    [TestCase("list namespaces", false)]
    [TestCase("list pods", true)]
    [TestCase("list jobs", true)]
    [TestCase("list rollouts", true, Description = "of which nothing shows that it has no template")]
    public async Task A_report_that_may_lack_images_is_incomplete(string denied, bool isIncomplete)
    {
        await using var cluster = await ReportCluster.StartAsync();
        cluster.Deny(denied);
        Assert.That((await cluster.ReportAsync()).IsIncomplete, Is.EqualTo(isIncomplete));
    }

    [TestCase("/apis")]
    [TestCase("/apis/batch/v1")]
    public async Task Kinds_that_cannot_be_discovered_make_a_report_incomplete(string path)
    {
        await using var cluster = await ReportCluster.StartAsync(discovery: context =>
        {
            if (context.Request.Path != path)
                return false;
            context.Response.StatusCode = StatusCodes.Status503ServiceUnavailable;
            return true;
        });
        var report = await cluster.ReportAsync();
        Assert.That(report.IsIncomplete);
        Assert.That(report.Problems, Has.Exactly(1).StartsWith($"Cannot list the kinds of {path}: "));
    }

    [TestCase("""{"properties": {"spec": {"properties": {"replicas": {"type": "integer"} } } } }""", false)]
    [TestCase("""{"properties": {"spec": {"properties": {"template": {"properties": {"metadata": {} } } } } } }""", false)]
    [TestCase(
        """{"properties": {"spec": {"properties": {"template": {"properties": {"spec": {"properties": {"containers": {} } } } } } } } }""",
        true
    )]
    [TestCase("""{"properties": {"spec": {"x-kubernetes-preserve-unknown-fields": true} } }""", true)]
    [TestCase("""{"properties": {"spec": {"properties": {"template": {"$ref": "#/components/schemas/elsewhere"} } } } }""", true)]
    [TestCase("""{"properties": {"spec": {"$ref": "#/components/schemas/loop"} } }""", true)]
    [TestCase("""{"properties": {"spec": {"allOf": [{"$ref": "#/components/schemas/Empty"}]} } }""", false)]
    public async Task A_custom_kind_that_may_not_be_listed_counts_if_it_can_have_a_template(string schema, bool isIncomplete)
    {
        await using var cluster = await ReportCluster.StartAsync(
            (context, next) =>
                context.Request.Path == "/openapi/v3/apis/example.com/v1"
                    ? context.Response.WriteAsync(
                        $$"""
                        {"components": {"schemas": {"com.example.v1.Rollout": {"x-kubernetes-group-version-kind":
                         [{"group": "example.com", "version": "v1", "kind": "Rollout"}], {{schema[1..^1]}}},
                         "Empty": {"type": "object"}, "loop": {"$ref": "#/components/schemas/loop"} } } }
                        """
                    )
                    : next(context)
        );
        var report = await cluster.Deny("list rollouts").ReportAsync();
        Assert.That(report.IsIncomplete, Is.EqualTo(isIncomplete));
        Assert.That(
            report.Problems.Count(problem => problem.StartsWith("rollouts", StringComparison.Ordinal)),
            Is.EqualTo(isIncomplete ? 1 : 0)
        );
    }
}
