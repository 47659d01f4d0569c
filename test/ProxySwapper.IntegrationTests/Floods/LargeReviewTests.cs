using System.Net.Http.Headers;
using ProxySwapper.Testing.Kubernetes;
using ProxySwapper.Testing.Processes;

namespace ProxySwapper.IntegrationTests.Floods;

/// <summary>Reviews near the largest size of a body that no API server sends: what is kept of them is bounded.</summary>
[TestFixture, NonParallelizable]
internal sealed class LargeReviewTests
{
    private ProxySwapperProcess _webhook = null!;

    [OneTimeSetUp]
    public async Task StartAsync() => _webhook = await FloodedWebhook.StartAsync();

    [OneTimeTearDown]
    public async Task StopAsync() => await _webhook.DisposeAsync();

    [TestCase("uid")]
    [TestCase("kind")]
    [TestCase("container")]
    [TestCase("gates")]
    [TestCase("secrets")]
    public async Task One_review_of_many_megabytes_at_a_time(string what)
    {
        var review = ReviewSamples.Create("nginx");
        var text = new string('a', 15_000_000);
        review = what switch
        {
            "uid" => Replaced("\"uid\":\"", $"\"uid\":\"{text}"),
            "kind" => Replaced("\"version\":\"v1\",\"kind\":\"Pod\"", $"\"kind\":\"{text}\""),
            "container" => Replaced("\"image\":\"nginx\"", $"\"image\":\"nginx\",\"name\":\"{text}\""),
            "gates" => Replaced("\"containers\"", $"\"schedulingGates\":[{Items()}],\"containers\""),
            _ => Replaced("\"containers\"", $"\"imagePullSecrets\":[{Items()}],\"containers\""),
        };
        using var client = _webhook.CreateClient();
        for (var number = 0; number < 10; number++)
        {
            using var content = new StringContent(review, new MediaTypeHeaderValue("application/json"));
            using var response = await client.PostAsync("/mutate", content);
            Assert.That((int)response.StatusCode, Is.EqualTo(what == "uid" ? 400 : 200));
        }
        var peak = FloodedWebhook.PeakMemoryOf(_webhook);
        TestContext.Out.WriteLine($"peak {peak / 1024 / 1024} MiB");
        Assert.Multiple(() =>
        {
            Assert.That(peak, Is.LessThan(FloodedWebhook.MemoryLimit));
            Assert.That(_webhook.Log, Does.Not.Contain("\"exception\":").And.Not.Contain("Unhandled"));
        });

        string Replaced(string old, string with)
        {
            Assert.That(review, Does.Contain(old));
            return review.Replace(old, with, StringComparison.Ordinal);
        }

        static string Items() => string.Join(',', Enumerable.Range(0, 900_000).Select(number => $"{{\"name\":\"{number}\"}}"));
    }
}
