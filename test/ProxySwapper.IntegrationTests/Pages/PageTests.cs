using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Microsoft.AspNetCore.Http;
using Microsoft.Playwright;
using ProxySwapper.IntegrationTests.Population;
using ProxySwapper.Testing.Images;
using ProxySwapper.Testing.Processes;
using ProxySwapper.Testing.Registries;
using ProxySwapper.Testing.Time;
using static Microsoft.Playwright.Assertions;

namespace ProxySwapper.IntegrationTests.Pages;

/// <summary>The page of the management port in a browser, while the built program copies images for waiting Pods.</summary>
[TestFixture, NeedsBrowser]
internal sealed partial class PageTests : IDisposable
{
    private const int LayerSize = 4_000_000;
    private const int PieceSize = 200_000;

    private Browser _browser = null!;
    private GateScene _scene = null!;
    private SemaphoreSlim _pieces = new(0);

    [OneTimeSetUp]
    public async Task StartBrowser()
    {
        _browser = await Browser.StartAsync();
        SetDefaultExpectTimeout(60_000);
    }

    [OneTimeTearDown]
    public async Task StopBrowser()
    {
        if (_browser is not null)
            await _browser.DisposeAsync();
    }

    [SetUp]
    public async Task Start()
    {
        Dispose();
        _pieces = new SemaphoreSlim(0);
        _scene = await GateScene.CreateAsync();
        _scene.Interceptor = Intercept;
    }

    [TearDown]
    public async Task Stop() => await _scene.DisposeAsync();

    public void Dispose() => _pieces.Dispose();

    [Test]
    public async Task A_copy_moves_its_bar_and_its_pod_appears_and_disappears()
    {
        var target = AddImage("app", 301);
        var replica = await _scene.StartReplicaAsync();
        await using var page = await OpenAsync(replica);
        await Expect(page.Find("#summary")).ToHaveTextAsync("Everything is fine: no Pods waiting, no failed copies.");
        await Expect(page.Find("#gated")).ToHaveTextAsync("No Pods are waiting.");

        var version = typeof(PageTests).Assembly.GetName().Version!.ToString(3);
        await Expect(page.Find("#facts")).ToContainTextAsync($"version {version}");
        await Expect(page.Find("#rules li")).ToHaveCountAsync(1);
        await Expect(page.Find("#rules")).ToContainTextAsync(_scene.Upstream.Address);
        await Expect(page.Find("#rules")).ToContainTextAsync($"{_scene.Downstream.Address}/mirror");
        await Expect(page.Find("#downstreams")).ToContainTextAsync(_scene.Downstream.Address);
        await Expect(page.Find("#downstreams")).ToContainTextAsync("read and write access");

        await CreateAsync("web", "app");
        await Expect(page.Find("#gated")).ToContainTextAsync($"{_scene.Namespace}/web");
        await Expect(page.Find("#gated")).ToContainTextAsync("starts with the original image in");
        var bar = page.Page.GetByRole(AriaRole.Progressbar, new() { Name = $"Copy of {target}" });
        _pieces.Release(5);
        await TestWait.UntilAsync(async () => await ValueOf(bar) > 0, "the first bytes");
        var before = await ValueOf(bar);
        _pieces.Release(10);
        await TestWait.UntilAsync(async () => await ValueOf(bar) > before, "more bytes");
        await Expect(page.Find("#running")).ToContainTextAsync(Moved);
        await Expect(page.Find("#claims")).ToContainTextAsync("(this replica)");
        await Expect(page.Find("#rateLimits")).ToContainTextAsync("76 of 100 pulls remaining per 6 h");
        await page.ScreenshotAsync("page-copying");

        _pieces.Release(1000);
        await Expect(page.Find("#finished")).ToContainTextAsync(target);
        await Expect(page.Find("#finished")).ToContainTextAsync("8 MB in");
        await Expect(page.Find("#gated")).ToHaveTextAsync("No Pods are waiting.");
        await Expect(page.Find("#running")).ToHaveTextAsync("Nothing is being copied.");
        await Expect(page.Find("#claims")).ToBeHiddenAsync();
        await Expect(page.Find("#summary")).ToHaveTextAsync("Everything is fine: no Pods waiting, no failed copies.");
        await page.ScreenshotAsync("page-quiet");
        Assert.That(page.Errors, Is.Empty);
    }

    [Test]
    public async Task A_failure_shows_its_reason_in_plain_words_and_in_the_registrys()
    {
        var replica = await _scene.StartReplicaAsync();
        await using var page = await OpenAsync(replica);
        await CreateAsync("lost", "nowhere");
        await CreateAsync("unlucky", "broken");
        await Expect(page.Find("#givenUp")).ToContainTextAsync("The registry does not have this image, or hides it from us.");
        await Expect(page.Find("#givenUp")).ToContainTextAsync("not found (HTTP 404)");
        await Expect(page.Find("#failed")).ToContainTextAsync("The registry has an internal error.");
        await Expect(page.Find("#failed")).ToContainTextAsync("internal server error (HTTP 500)");
        await Expect(page.Find("#failed")).ToContainTextAsync("next try in");
        await Expect(page.Find("#summary")).ToContainTextAsync("1 image given up; 1 copy failed and will be retried");
        await Expect(page.Page).ToHaveTitleAsync("ProxySwapper: failures");
        await page.ScreenshotAsync("page-failed");
    }

    [Test]
    public async Task Every_list_fits_desktop_and_phone_in_light_and_dark_and_is_accessible_to_screen_readers()
    {
        var longName = "a-name-that-is-as-long-as-names-of-images-are/which-does-not-fit-on-a-telephone/and-goes-on-without-a-space";
        var target = AddImage(longName, 302);
        var replica = await _scene.StartReplicaAsync();
        await using var page = await OpenAsync(replica);
        foreach (var (pod, name) in new[] { ("lost", "nowhere"), ("unlucky", "broken") })
            await CreateAsync(pod, name);
        foreach (var list in new[] { "#givenUp", "#failed" })
            await Expect(page.Find($"{list} li").First).ToBeVisibleAsync();
        // Last, since other jobs of its namespace wait while this copy is stuck.
        await CreateAsync("first", longName);
        _pieces.Release(5);
        await Expect(page.Page.GetByRole(AriaRole.Progressbar, new() { Name = $"Copy of {target}" })).ToBeVisibleAsync();
        foreach (var list in new[] { "#gated", "#running", "#givenUp", "#downstreams", "#rateLimits", "#rules", "#failed" })
            await Expect(page.Find($"{list} li").First).ToBeVisibleAsync();
        var snapshot = await page.Find("main").AriaSnapshotAsync();
        Assert.That(snapshot, Does.Contain("heading \"Copying (").And.Contain($"progressbar \"Copy of {target}\""));
        foreach (var width in new[] { Browser.Wide, Browser.Narrow })
        foreach (var isDark in new[] { false, true })
        {
            await page.SetAppearanceAsync(width, isDark);
            await page.ScreenshotAsync($"page-everything-{width}{(isDark ? "-dark" : "")}");
            Assert.That(await page.OverflowAsync(), Is.Zero, $"pixels beyond the window of {width}");
            Assert.That(await page.AccessibilityFaultsAsync(), Is.Empty);
        }
    }

    [Test]
    public async Task Whatever_a_server_says_is_shown_as_text_and_no_list_is_endless()
    {
        var replica = await _scene.StartReplicaAsync();
        await using var page = await OpenAsync(replica);
        await Expect(page.Find("#summary")).ToContainTextAsync("Everything is fine");
        var response = JsonNode.Parse(await replica.Management.GetStringAsync(new Uri("/populate", UriKind.Relative)))!;
        const string Hostile = "<img src=x onerror=alert(1)>&amp;";
        response["dryRun"] = true;
        response["queued"] = new JsonArray([
            .. Enumerable
                .Range(0, 250)
                .Select(number => new JsonObject { ["target"] = $"{Hostile}:{number}", ["queuedAt"] = "2026-01-01T00:00:00Z" }),
        ]);
        response["gated"] = JsonNode.Parse("""[{"namespace":"shop","pod":"web","since":"2026-01-01T00:00:00Z","images":[]}]""");
        response["more"] = JsonNode.Parse("""{"queued":30,"gated":1300}""");
        response["wouldRewrite"] = JsonNode.Parse(
            """[{"image":"a:1","target":"b/a:1","rule":"rules[0]","namespace":"shop","count":2,"lastSeen":"2026-01-01T00:00:00Z"}]"""
        );
        response["downstreams"] = JsonNode.Parse(
            """
            [{"registry":"one","state":"failing","access":"refused","problem":"it rejects our login: HEAD one/a: forbidden (HTTP 403)"},
             {"registry":"two","state":"unsure","access":"unknown","problem":"no response within 5 s"},
             {"registry":"three","state":"unchecked","access":"unknown"}]
            """
        );
        response["rateLimits"] = JsonNode.Parse("""[{"registry":"docker.io","remaining":7,"limit":100,"at":"2026-01-01T00:00:00Z"}]""");
        await page.Page.RouteAsync(
            "**/populate",
            route => route.FulfillAsync(new() { Body = response.ToJsonString(), ContentType = "application/json" })
        );
        await Expect(page.Find("#queued li")).ToHaveCountAsync(201);
        await Expect(page.Find("#queued li").First).ToContainTextAsync($"{Hostile}:0");
        await Expect(page.Find("#queued li").Last).ToHaveTextAsync("and 80 more");
        await Expect(page.Find("#gated li").Last).ToHaveTextAsync("and 1300 more");
        await Expect(page.Find("#t-gated")).ToContainTextAsync("(1301)");
        Assert.That(await page.Find("img").CountAsync(), Is.Zero);
        await Expect(page.Find("#wouldRewrite")).ToContainTextAsync("a:1 → b/a:1");
        await Expect(page.Find("#wouldRewrite")).ToContainTextAsync("seen 2 times · last in shop");
        await Expect(page.Find("#downstreams li").Nth(0)).ToContainTextAsync("The registry rejects our credentials");
        await Expect(page.Find("#downstreams li").Nth(1)).ToContainTextAsync("The registry cannot be reached.");
        await Expect(page.Find("#downstreams li").Nth(2)).ToContainTextAsync("not checked yet");
        await Expect(page.Find("#rateLimits progress")).ToHaveClassAsync("few");
        await Expect(page.Find("#summary"))
            .ToHaveTextAsync("Failing: one; dry run: nothing is rewritten or copied; 1301 Pods waiting for images.");
        Assert.That(page.Errors, Is.Empty);
        await page.Page.RouteAsync("**/populate", route => route.AbortAsync());
        await Expect(page.Find("#connection")).ToContainTextAsync("The data below may be outdated.");
        Assert.That(await page.Find("#queued li").CountAsync(), Is.EqualTo(201), "what was there stays");
    }

    [Test]
    public async Task The_keyboard_pauses_and_resumes_what_changes_by_itself()
    {
        var replica = await _scene.StartReplicaAsync();
        await using var page = await OpenAsync(replica);
        await page.Page.Keyboard.PressAsync("Tab");
        await Expect(page.Find("#pause")).ToBeFocusedAsync();
        await page.Page.Keyboard.PressAsync("Enter");
        await Expect(page.Find("#pause")).ToHaveTextAsync("Resume updates");
        await CreateAsync("lost", "nowhere");
        await TestWait.UntilAsync(async () =>
            (await replica.Management.GetStringAsync(new Uri("/populate", UriKind.Relative))).Contains("HTTP 404", StringComparison.Ordinal)
        );
        var requests = page.Requests.Count;
        await page.Page.WaitForTimeoutAsync(5000);
        Assert.That((page.Requests.Count, await page.Find("#givenUp li").CountAsync()), Is.EqualTo((requests, 0)));
        await page.Page.Keyboard.PressAsync("Space");
        await Expect(page.Find("#givenUp")).ToContainTextAsync("HTTP 404");
    }

    [Test]
    public async Task The_page_makes_no_other_requests_and_may_not()
    {
        var replica = await _scene.StartReplicaAsync();
        await using var page = await OpenAsync(replica);
        await Expect(page.Find("#summary")).ToContainTextAsync("Everything is fine");
        Assert.That(page.Requests.Distinct(), Is.EquivalentTo(new[] { AddressOf(replica, "/"), AddressOf(replica, "/populate") }));
        Assert.That(page.Errors, Is.Empty);
        var requests = _scene.Upstream.Requests;
        var elsewhere = $"http://{_scene.Upstream.Address}/v2/";
        foreach (
            var script in new[]
            {
                $"fetch('{elsewhere}', {{ mode: 'no-cors' }})",
                $"new Promise((done, fail) => Object.assign(new Image(), {{ onload: done, onerror: fail, src: '{elsewhere}' }}))",
                "new Promise((done, fail) => { document.body.append(Object.assign(document.createElement('script'), "
                    + "{ textContent: 'window.ran = 1' })); window.ran ? done() : fail(); })",
            }
        )
            Assert.That(
                await page.Page.EvaluateAsync<string>($"() => {script}.then(() => 'done', () => 'rejected')"),
                Is.EqualTo("rejected"),
                script
            );
        Assert.That(_scene.Upstream.Requests, Is.EqualTo(requests));
    }

    [Test]
    public async Task Only_holders_of_the_management_token_see_the_page()
    {
        using var folder = new TemporaryFolder();
        folder.Write("token", "correct horse\n");
        var replica = await _scene.StartReplicaAsync($"management: {{tokenFrom: {{file: {folder.PathOf("token")}}}}}");
        foreach (var password in new[] { null, "wrong" })
            Assert.That(await IsUnauthorizedAsync(replica, password), Is.True, password);
        await using var page = await OpenAsync(replica, "correct horse");
        await Expect(page.Find("#summary")).ToContainTextAsync("Everything is fine");
        Assert.That((page.Status, page.Errors.Count), Is.EqualTo((200, 0)));
    }

    /// <summary>Whether the server requests a password again or shows the rejection.</summary>
    private async Task<bool> IsUnauthorizedAsync(ProxySwapperProcess replica, string? password)
    {
        try
        {
            await using var page = await OpenAsync(replica, password);
            return page.Status == StatusCodes.Status401Unauthorized && await page.Find("#tiles").CountAsync() == 0;
        }
        catch (PlaywrightException rejection)
        {
            return rejection.Message.Contains("ERR_INVALID_AUTH_CREDENTIALS", StringComparison.Ordinal);
        }
    }

    private Task<BrowserPage> OpenAsync(ProxySwapperProcess replica, string? password = null) =>
        _browser.OpenAsync(new Uri(AddressOf(replica, "/")), password);

    private static string AddressOf(ProxySwapperProcess replica, string path) => $"http://localhost:{replica.ManagementPort}{path}";

    private static async Task<double> ValueOf(ILocator bar) => await bar.EvaluateAsync<double>("bar => bar.value");

    private string AddImage(string name, int seed)
    {
        TestImage.Create(seed, 2, LayerSize).AddTo(_scene.Upstream, $"team/{name}", "1");
        return $"{_scene.Downstream.Address}/mirror/team/{name}:1";
    }

    private Task<JsonObject> CreateAsync(string pod, string image) =>
        _scene.CreateAsync(GateScene.Pod(pod, $"{_scene.Upstream.Address}/team/{image}:1"));

    /// <summary>Layers are sent in pieces when the test says so; one repository fails; pulls are counted.</summary>
    private async Task Intercept(HttpContext context, RequestDelegate registry)
    {
        var path = context.Request.Path.Value!;
        if (path.Contains("/broken/", StringComparison.Ordinal))
            await RegistryFaults.Status(500, "UNKNOWN", "out of order")(context, registry);
        else if (path.Contains("/blobs/", StringComparison.Ordinal) && HttpMethods.IsGet(context.Request.Method))
            await RegistryFaults.Drip(PieceSize, _pieces.WaitAsync)(context, registry);
        else
        {
            context.Response.Headers["ratelimit-limit"] = "100;w=21600";
            context.Response.Headers["ratelimit-remaining"] = "76;w=21600";
            await registry(context);
        }
    }

    [GeneratedRegex(@"\d+% of 8 MB .* left · for ")]
    private static partial Regex Moved { get; }
}
