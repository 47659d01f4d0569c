using System.Text;
using Microsoft.Playwright;
using ProxySwapper.Testing.Kubernetes;
using ProxySwapper.Testing.Processes;
using static Microsoft.Playwright.Assertions;

namespace ProxySwapper.IntegrationTests.Pages;

/// <summary>The page of a program with <c>dryRun</c>, in a browser.</summary>
[TestFixture, NeedsBrowser]
internal sealed class DryRunPageTests
{
    [Test]
    public async Task The_page_lists_what_would_be_rewritten_while_reviews_come_in()
    {
        SetDefaultExpectTimeout(60_000);
        await using var replica = await ProxySwapperProcess.StartAsync(
            """
            rules: [{match: docker.io, target: registry.example.com/hub}]
            dryRun: true
            populate: {policy: none}
            """
        );
        await using var browser = await Browser.StartAsync();
        await using var page = await browser.OpenAsync(new Uri($"http://localhost:{replica.ManagementPort}/"));
        await Expect(page.Find("#summary")).ToHaveTextAsync("Dry run: nothing is rewritten or copied.");
        await Expect(page.Find("#wouldRewrite")).ToBeHiddenAsync();

        await ReviewAsync(replica, "nginx:1", "quay.io/team/app:2");
        var rows = page.Find("#wouldRewrite li");
        await Expect(rows).ToHaveCountAsync(1);
        await Expect(rows.First).ToContainTextAsync("nginx:1 → registry.example.com/hub/library/nginx:1");
        await Expect(rows.First).ToContainTextAsync("rules[0] · seen 1 time · last in ");

        await ReviewAsync(replica, "redis:7", "nginx:1");
        await Expect(rows).ToHaveCountAsync(2);
        await Expect(rows.Filter(new() { HasText = "nginx:1" })).ToContainTextAsync("seen 2 times");
        await Expect(rows.Filter(new() { HasText = "redis:7" })).ToContainTextAsync("registry.example.com/hub/library/redis:7");
        await Expect(page.Page.GetByRole(AriaRole.Heading, new() { Name = "Dry run: would be rewritten (2)" })).ToBeVisibleAsync();
        await page.ScreenshotAsync("page-dry-run");
        Assert.That(page.Errors, Is.Empty);
    }

    private static async Task ReviewAsync(ProxySwapperProcess replica, params string[] images)
    {
        using var client = replica.CreateClient();
        using var content = new StringContent(ReviewSamples.Create(images), Encoding.UTF8, "application/json");
        using var response = await client.PostAsync("/mutate", content);
        var body = await response.EnsureSuccessStatusCode().Content.ReadAsStringAsync();
        Assert.That(body, Does.Contain("\"allowed\":true").And.Not.Contain("\"patch\""));
    }
}
