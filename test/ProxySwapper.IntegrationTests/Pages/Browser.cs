using Microsoft.Playwright;

namespace ProxySwapper.IntegrationTests.Pages;

/// <summary>Debian's Chromium, headless, driven by Playwright.</summary>
internal sealed class Browser : IAsyncDisposable
{
    /// <summary>A desktop monitor and the narrowest phone.</summary>
    public const int Wide = 1280;
    public const int Narrow = 360;

    private static readonly string[] Names = ["chromium", "chromium-browser", "google-chrome"];

    private readonly IPlaywright _playwright;
    private readonly IBrowser _browser;

    private Browser(IPlaywright playwright, IBrowser browser) => (_playwright, _browser) = (playwright, browser);

    /// <exception cref="InvalidOperationException">Chromium is not installed.</exception>
    public static async Task<Browser> StartAsync()
    {
        NeedsBrowserAttribute.Require();
        var program = Find();
        var playwright = await Playwright.CreateAsync();
        // Containers have little shared memory and no display.
        var options = new BrowserTypeLaunchOptions { ExecutablePath = program, Args = ["--disable-dev-shm-usage", "--disable-gpu"] };
        return new Browser(playwright, await playwright.Chromium.LaunchAsync(options));
    }

    /// <summary>Opens a page in its own profile, with desktop size and light colours.</summary>
    /// <param name="address">The page.</param>
    /// <param name="password">The password for HTTP authentication, or null.</param>
    public async Task<BrowserPage> OpenAsync(Uri address, string? password = null)
    {
        var credentials = password is null ? null : new HttpCredentials { Username = "me", Password = password };
        var context = await _browser.NewContextAsync(new BrowserNewContextOptions { HttpCredentials = credentials });
        context.SetDefaultTimeout(60_000);
        var page = new BrowserPage(context, await context.NewPageAsync());
        await page.SetAppearanceAsync(Wide, isDark: false);
        await page.GoToAsync(address);
        return page;
    }

    public async ValueTask DisposeAsync()
    {
        await _browser.DisposeAsync();
        _playwright.Dispose();
    }

    private static string Find()
    {
        if (Environment.GetEnvironmentVariable("CHROMIUM") is { Length: > 0 } given)
            return given;
        var folders = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator);
        return Names.SelectMany(name => folders.Select(folder => Path.Combine(folder, name))).FirstOrDefault(File.Exists)
            ?? throw new InvalidOperationException(
                "chromium is not installed: apt-get install chromium (Debian), or say in the variable CHROMIUM where it is."
            );
    }
}
