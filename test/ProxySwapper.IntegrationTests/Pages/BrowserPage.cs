using System.Collections.Concurrent;
using Deque.AxeCore.Commons;
using Deque.AxeCore.Playwright;
using Microsoft.Playwright;
using ProxySwapper.Testing.Processes;

namespace ProxySwapper.IntegrationTests.Pages;

/// <summary>An open page, with its requests and errors so far.</summary>
internal sealed class BrowserPage : IAsyncDisposable
{
    private readonly IBrowserContext _context;
    private readonly ConcurrentQueue<string> _requests = new();
    private readonly ConcurrentQueue<string> _errors = new();

    public BrowserPage(IBrowserContext context, IPage page)
    {
        (_context, Page) = (context, page);
        page.Request += (_, request) => _requests.Enqueue(request.Url);
        page.PageError += (_, error) => _errors.Enqueue(error);
        page.Console += (_, message) =>
        {
            if (message.Type is "error" or "warning")
                _errors.Enqueue(message.Text);
        };
    }

    public IPage Page { get; }

    /// <summary>The requested addresses, including the page itself.</summary>
    public IReadOnlyCollection<string> Requests => _requests;

    /// <summary>Script errors, and requests that the browser blocked.</summary>
    public IReadOnlyCollection<string> Errors => _errors;

    /// <summary>The response's status.</summary>
    public int Status { get; private set; }

    public async Task GoToAsync(Uri address) => Status = (await Page.GotoAsync(address.ToString()))?.Status ?? 0;

    /// <summary>Sets the width of the window and the colour scheme.</summary>
    public async Task SetAppearanceAsync(int width, bool isDark)
    {
        await Page.SetViewportSizeAsync(width, 800);
        await Page.EmulateMediaAsync(new PageEmulateMediaOptions { ColorScheme = isDark ? ColorScheme.Dark : ColorScheme.Light });
    }

    public ILocator Find(string selector) => Page.Locator(selector);

    /// <summary>Saves a screenshot to the test results.</summary>
    public async Task ScreenshotAsync(string name)
    {
        var path = SourceTree.PathOf("TestResults", "screenshots", $"{name}.png");
        await Page.ScreenshotAsync(new PageScreenshotOptions { Path = path, FullPage = true });
        TestContext.AddTestAttachment(path);
    }

    /// <summary>By how many pixels the page is wider than its window.</summary>
    public Task<int> OverflowAsync() =>
        Page.EvaluateAsync<int>("document.documentElement.scrollWidth - document.documentElement.clientWidth");

    /// <summary>What axe-core finds against WCAG 2.2, level AA: names, contrast, structure.</summary>
    public async Task<IReadOnlyList<string>> AccessibilityFaultsAsync()
    {
        var options = new AxeRunOptions
        {
            RunOnly = new RunOnlyOptions
            {
                Type = "tag",
                Values = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
            },
        };
        var result = await Page.RunAxe(options);
        return [.. result.Violations.SelectMany(rule => rule.Nodes.Select(node => $"{rule.Id} ({rule.Help}): {node.Html}"))];
    }

    public async ValueTask DisposeAsync() => await _context.DisposeAsync();
}
