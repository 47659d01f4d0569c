using System.Text;
using System.Text.Json.Nodes;
using Microsoft.Playwright;
using ProxySwapper.Registry.InMemory;
using ProxySwapper.Testing.Images;
using ProxySwapper.Testing.Processes;
using static Microsoft.Playwright.Assertions;

namespace ProxySwapper.IntegrationTests.Pages;

/// <summary>The output of <c>report -o html</c>, opened as a file in a browser.</summary>
[TestFixture, NeedsBrowser]
internal sealed class ReportPageTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private Browser _browser = null!;
    private InMemoryRegistry _downstream = null!;
    private string _file = "";

    [OneTimeSetUp]
    public async Task Start()
    {
        _browser = await Browser.StartAsync();
        SetDefaultExpectTimeout(60_000);
        _downstream = await InMemoryRegistry.StartAsync();
        TestImage.Create(303).AddTo(_downstream, "hub/library/nginx", "1.27");
        var shop = SourceTree.PathOf("test", "ProxySwapper.Tests", "testdata", "report", "shop");
        var configuration = await File.ReadAllTextAsync(Path.Combine(shop, "config.yaml"));
        await File.WriteAllTextAsync(
            _folder.PathOf("config.yaml"),
            configuration.Replace("registry.example.com", _downstream.Address, StringComparison.Ordinal)
        );
        var (code, output, error) = await ProxySwapperProgram.RunAsync([
            "report",
            "-f",
            Path.Combine(shop, "manifests.yaml"),
            "--config",
            _folder.PathOf("config.yaml"),
            "-o",
            "html",
        ]);
        Assert.That(code, Is.Zero, error);
        _file = _folder.PathOf("report.html");
        await File.WriteAllTextAsync(_file, output, Encoding.UTF8);
    }

    [OneTimeTearDown]
    public async Task Stop()
    {
        if (_browser is not null)
            await _browser.DisposeAsync();
        if (_downstream is not null)
            await _downstream.DisposeAsync();
    }

    public void Dispose() => _folder.Dispose();

    [Test]
    public async Task The_table_is_searched()
    {
        await using var page = await OpenAsync();
        await Expect(Rows(page)).ToHaveCountAsync(9);
        await page.Page.GetByRole(AriaRole.Searchbox).FillAsync("coreos/ETCD");
        await Expect(Rows(page)).ToHaveCountAsync(2);
        await Expect(page.Find("#count")).ToHaveTextAsync("2 of 9 images");
        await page.Page.GetByRole(AriaRole.Combobox).SelectOptionAsync("missing");
        await Expect(Rows(page)).ToHaveCountAsync(1);
        await Expect(Rows(page)).ToContainTextAsync($"{_downstream.Address}/quay/coreos/etcd:v3.5.0");
        await page.Page.GetByRole(AriaRole.Searchbox).FillAsync("nothing has this");
        await Expect(Rows(page)).ToHaveCountAsync(0);
        Assert.That(page.Errors, Is.Empty);
    }

    [Test]
    public async Task Bars_show_how_many_images_of_each_registry_are_in_which_state()
    {
        await using var page = await OpenAsync();
        var bars = page.Find("#registries .bar");
        Assert.That(
            await bars.Locator(".track").EvaluateAllAsync<string[]>("all => all.map(bar => bar.getAttribute('aria-label'))"),
            Is.EqualTo(Expected.Select(bar => $"{bar.Registry}: {string.Join(", ", bar.Parts)}")),
            "the registry with most images is the first"
        );
        Assert.That(
            await bars.AllInnerTextsAsync(),
            Is.EqualTo(Expected.Select(bar => $"{bar.Registry}\n{bar.Parts.Sum(Count)}")),
            "name and number"
        );
        var tracks = await bars.Locator(".track").AllAsync();
        foreach (var (track, bar) in tracks.Zip(Expected))
        {
            var width = (await track.BoundingBoxAsync())!.Width - 2;
            foreach (var (part, text) in (await track.Locator("span").AllAsync()).Zip(bar.Parts))
            {
                await Expect(part).ToHaveAttributeAsync("title", text);
                Assert.That((await part.BoundingBoxAsync())!.Width, Is.EqualTo(width * Count(text) / MostImages).Within(1), text);
            }
            await Expect(track.Locator("span")).ToHaveCountAsync(bar.Parts.Length);
        }
    }

    [Test]
    public async Task The_legend_has_the_states_of_the_bars_in_their_colours()
    {
        await using var page = await OpenAsync();
        var legend = page.Find("#legend > span");
        Assert.That(await legend.AllInnerTextsAsync(), Is.EqualTo(["missing", "not swapped", "downstream"]));
        const string Colours = "all => all.map(one => getComputedStyle(one).backgroundColor)";
        var colours = await legend.Locator("i").EvaluateAllAsync<string[]>(Colours);
        Assert.That(colours, Is.Unique.And.None.EqualTo("rgba(0, 0, 0, 0)"));
        var parts = await page.Find("#registries .bar:first-child .track span").EvaluateAllAsync<string[]>(Colours);
        Assert.That(parts, Is.EqualTo(colours), "docker.io has one of each");
    }

    /// <summary>The bars of <c>testdata/report/shop</c> with another downstream registry than that of its manifests.</summary>
    private static readonly (string Registry, string[] Parts)[] Expected =
    [
        ("docker.io", ["1 missing", "3 not swapped", "1 downstream"]),
        ("quay.io", ["1 missing", "1 not swapped"]),
        ("(invalid)", ["1 not swapped"]),
        ("registry.example.com", ["1 not swapped"]),
    ];

    private const int MostImages = 5;

    private static int Count(string part) => int.Parse(part.Split(' ')[0], System.Globalization.CultureInfo.InvariantCulture);

    [Test]
    public async Task The_table_is_sorted_by_mouse_and_by_keyboard()
    {
        await using var page = await OpenAsync();
        var images = page.Find("#rows td:nth-child(2)");
        var header = page.Page.GetByRole(AriaRole.Columnheader, new() { Name = "Image", Exact = true });
        await header.GetByRole(AriaRole.Button).ClickAsync();
        await Expect(header).ToHaveAttributeAsync("aria-sort", "ascending");
        var ascending = await images.AllInnerTextsAsync();
        Assert.That(ascending, Is.Ordered.Using((System.Collections.IComparer)StringComparer.Ordinal));
        await page.Page.Keyboard.PressAsync("Enter");
        await Expect(header).ToHaveAttributeAsync("aria-sort", "descending");
        Assert.That(await images.AllInnerTextsAsync(), Is.EqualTo(ascending.Reverse()));
    }

    [TestCase(Browser.Wide, false)]
    [TestCase(Browser.Wide, true)]
    [TestCase(Browser.Narrow, false)]
    public async Task The_report_fits_is_accessible_to_screen_readers_and_makes_no_requests(int width, bool isDark)
    {
        await using var page = await OpenAsync();
        await page.SetAppearanceAsync(width, isDark);
        await Expect(Rows(page)).ToHaveCountAsync(9);
        await page.ScreenshotAsync($"report-{width}{(isDark ? "-dark" : "")}");
        Assert.That(await page.OverflowAsync(), Is.Zero, "pixels beyond the window");
        Assert.That(await page.AccessibilityFaultsAsync(), Is.Empty);
        Assert.That(page.Requests, Has.All.StartsWith("file:"));
    }

    [TestCase("true", "rules[0]; same digest as the source")]
    [TestCase("false", "rules[0]; another digest than the source")]
    public async Task The_digest_is_compared_with_the_sources(string sameDigest, string text)
    {
        var target = $"\"target\":\"{_downstream.Address}/hub/library/nginx:1.27\"";
        var html = await File.ReadAllTextAsync(_file);
        Assert.That(html, Does.Contain(target));
        var file = _folder.PathOf($"digest-{sameDigest}.html");
        await File.WriteAllTextAsync(
            file,
            WithScriptHash(html.Replace(target, $"\"sameDigest\":{sameDigest},{target}", StringComparison.Ordinal))
        );
        await using var page = await _browser.OpenAsync(new Uri(file));
        await Expect(Rows(page).Filter(new() { HasText = "docker.io/library/nginx:1.27" }).Locator(".why")).ToHaveTextAsync(text);
    }

    /// <summary>The policy of a page allows the script that it was written with.</summary>
    private static string WithScriptHash(string html)
    {
        var script = html.Split("<script>")[1].Split("</script>")[0];
        var hash = Convert.ToBase64String(System.Security.Cryptography.SHA256.HashData(Encoding.UTF8.GetBytes(script)));
        return System.Text.RegularExpressions.Regex.Replace(html, "script-src 'sha256-[^']+'", $"script-src 'sha256-{hash}'");
    }

    [Test]
    public async Task Whatever_an_image_is_called_is_text()
    {
        string[] names =
        [
            "</script><script>document.title='owned'</script>",
            "<img src=x onerror=\"document.title='owned'\">",
            "SCRIPT-HASH STYLE-HASH /*REPORT*/null",
        ];
        var containers = new JsonArray([.. names.Select(name => new JsonObject { ["image"] = name })]);
        var pod = new JsonObject
        {
            ["kind"] = "Pod",
            ["spec"] = new JsonObject { ["containers"] = containers },
        };
        var (code, output, error) = await ProxySwapperProgram.RunWithInputAsync(
            pod.ToJsonString(),
            ["report", "-f", "-", "--config", _folder.PathOf("config.yaml"), "-o", "html", "--no-check"]
        );
        Assert.That(code, Is.Zero, error);
        var file = _folder.PathOf("hostile.html");
        await File.WriteAllTextAsync(file, output, Encoding.UTF8);
        await using var page = await _browser.OpenAsync(new Uri(file));
        await Expect(Rows(page)).ToHaveCountAsync(names.Length);
        Assert.That(await page.Find("#rows td:nth-child(2)").AllInnerTextsAsync(), Is.EquivalentTo(names));
        await Expect(page.Page).ToHaveTitleAsync("Images of the cluster");
        Assert.That(page.Errors, Is.Empty);
        Assert.That(output, Does.Contain("script-src 'sha256-").And.Not.Contain("unsafe-inline"));
    }

    private Task<BrowserPage> OpenAsync() => _browser.OpenAsync(new Uri(_file));

    private static ILocator Rows(BrowserPage page) => page.Find("#rows tr");
}
