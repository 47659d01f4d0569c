namespace ProxySwapper.Tests.Reporting;

/// <summary>The sizes that nodes report of their images.</summary>
[TestFixture]
internal sealed class ImageSizeTests
{
    private const string Digest = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

    [TestCase("nginx:1", "docker.io/library/nginx:1")]
    [TestCase("nginx:1", "nginx:1", Description = "Docker's names")]
    [TestCase($"nginx:1@{Digest}", $"docker.io/library/nginx@{Digest}", Description = "Pulled by digest, the tag is not kept")]
    [TestCase($"nginx@{Digest}", $"docker.io/library/nginx@{Digest}")]
    [TestCase("nginx:1", "registry.example.com/hub/library/nginx:1", Description = "The target")]
    public async Task An_image_has_the_size_that_a_node_reports_whatever_it_is_called_there(string image, string onNode)
    {
        await using var cluster = await ReportCluster.StartAsync();
        await cluster.AddTemplateAsync("apps/v1", "deployments", "web", image);
        await cluster.AddAsync(
            "/api/v1/nodes",
            $$"""
            {"metadata": {"name": "node-1"}, "status": {"images": [
             {"names": ["registry.example.com/other:1"], "sizeBytes": 7},
             {"names": ["<none>:<none>", "{{onNode}}"], "sizeBytes": 50}]} }
            """
        );
        Assert.That((await cluster.ReportAsync()).Entries.Single().Size, Is.EqualTo(50));
    }
}
