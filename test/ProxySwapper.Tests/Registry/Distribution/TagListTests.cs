using System.Globalization;
using System.Net;
using System.Text;
using ProxySwapper.Registry;
using ProxySwapper.Registry.Distribution;
using ProxySwapper.Registry.InMemory;
using ProxySwapper.Registry.Transport;
using ProxySwapper.Testing.Registries;
using Kind = ProxySwapper.Registry.InMemory.InMemoryRegistryRequestKind;

namespace ProxySwapper.Tests.Registry.Distribution;

/// <summary>A list of tags is complete, or an error.</summary>
[TestFixture]
internal sealed class TagListTests
{
    private static readonly string[] Tags = [.. Enumerable.Range(0, 2500).Select(number => $"v{number:0000}")];

    [TestCase("https://internal.example.com:9/v2/a/tags/list")]
    [TestCase("http://169.254.169.254/latest")]
    [TestCase("http://user:password@internal.example.com/list")]
    public async Task A_link_to_a_host_that_only_the_registry_knows_is_followed_at_the_registry(string elsewhere)
    {
        await using var scene = await SceneAsync();
        scene.Faulty.Always(HttpMethod.Get, Kind.Tags, MovedLink(elsewhere));
        Assert.That(await ListAsync(scene), Is.EqualTo(Tags));
        Assert.That(scene.Faulty.Received, Has.Count.EqualTo(3));
    }

    [Test]
    public async Task A_list_behind_a_redirect_is_read_to_its_end()
    {
        await using var scene = await SceneAsync();
        await using var elsewhere = await FaultyRegistry.StartAsync();
        AddTags(elsewhere.Registry);
        scene.Faulty.Always(HttpMethod.Get, Kind.Tags, RegistryFaults.RedirectToOrigin($"http://{elsewhere.Address}"));
        Assert.That(await ListAsync(scene), Is.EqualTo(Tags));
        Assert.That(scene.Faulty.Received, Has.Count.EqualTo(3), "each page is requested where the list is");
    }

    [TestCase(400)]
    [TestCase(422)]
    [TestCase(501)]
    public async Task A_registry_that_rejects_the_size_of_a_page_is_queried_without(int status)
    {
        await using var scene = await SceneAsync();
        scene.Faulty.Always(
            (request, kind) => kind == Kind.Tags && request.Query.ContainsKey("n"),
            RegistryFaults.Status(status, "PAGINATION_NUMBER_INVALID", "n must not be greater than 100")
        );
        Assert.That(await ListAsync(scene), Is.EqualTo(Tags));
        Assert.That(scene.Faulty.Received.Select(request => request.Query), Is.EqualTo(new[] { "?n=1000", "" }));
    }

    [TestCase("""{"name":"a"}""")]
    [TestCase("""{"tags":["x",1]}""")]
    [TestCase("""{"tags":["x",null]}""")]
    [TestCase("""{"tags":{}}""")]
    [TestCase("[]")]
    [TestCase("<html>")]
    [TestCase("""{"tags":["x"]""")]
    [TestCase("""{"tags":["x"]}}""")]
    [TestCase("""{"tags":["x",[]]}""")]
    [TestCase("""{"tags":["x"],"tags":["y"]}""")]
    [TestCase("""{"tags":null,"name":"a","tags":["y"]}""")]
    public async Task What_is_not_a_list_of_tags_is_not_an_empty_one(string body)
    {
        await using var scene = await SceneAsync();
        scene.Faulty.Always(
            HttpMethod.Get,
            Kind.Tags,
            async (context, _) => await context.Response.Body.WriteAsync(Encoding.UTF8.GetBytes(body))
        );
        Assert.That(async () => await ListAsync(scene), Throws.InstanceOf<RegistryException>().With.Message.Contain("/a: HTTP 200"));
    }

    [Test]
    public async Task A_tag_longer_than_tags_can_be_is_rejected()
    {
        await using var scene = await RegistryScene.StartAsync();
        scene.Faulty.Always(
            HttpMethod.Get,
            Kind.Tags,
            (context, _) => context.Response.Body.WriteAsync(Encoding.UTF8.GetBytes($$"""{"tags":["{{new string('a', 129)}}"]}""")).AsTask()
        );
        Assert.That(
            async () => await scene.Client.ListTagsAsync("a", default).ToListAsync(),
            Throws.InstanceOf<RegistryException>().With.Message.Contain("a tag is longer than 128 characters")
        );
    }

    [TestCase(0, 50, "more than 500000 tags")]
    [TestCase(128, 26, "have more than 33554432 characters in total")]
    public async Task A_list_without_end_is_rejected_before_it_fills_the_memory(int length, int pages, string limit)
    {
        await using var scene = await RegistryScene.StartAsync();
        var page = 0;
        scene.Faulty.Always(
            HttpMethod.Get,
            Kind.Tags,
            async (context, _) =>
            {
                page++;
                context.Response.Headers.Link = string.Create(CultureInfo.InvariantCulture, $"</v2/a/tags/list?last={page}>; rel=\"next\"");
                var tags = Enumerable.Range(0, 10_000).Select(number => $"\"{$"tag-{page}-{number}".PadRight(length, 'x')}\"");
                await context.Response.Body.WriteAsync(System.Text.Encoding.UTF8.GetBytes($$"""{"tags":[{{string.Join(',', tags)}}]}"""));
            }
        );
        var read = 0;
        var fault = Assert.ThrowsAsync<RegistryException>(async () =>
        {
            await foreach (var _ in scene.Client.ListTagsAsync("a", default))
                read++;
        })!;
        Assert.That((fault.IsLimitExceeded, fault.IsTransient), Is.EqualTo((true, false)));
        Assert.That(fault.Message, Does.Contain($"{scene.Registry.Address}/a").And.Contain(limit));
        Assert.That(read, Is.LessThanOrEqualTo((pages + 1) * 10_000));
    }

    /// <summary>Registries without paging send the whole list as one page, without a link to a next one.</summary>
    [TestCase(1, 500_001, "more than 500000 tags")]
    [TestCase(1, 4_000_000, "more than 500000 tags")]
    [TestCase(128, 120_000, null)]
    [TestCase(1, 500_000, null)]
    public async Task The_limits_count_within_one_page(int length, int count, string? limit)
    {
        await using var scene = await RegistryScene.StartAsync();
        var body = Encoding.UTF8.GetBytes(
            $$"""{"name":"a","tags":[{{string.Join(',', Enumerable.Repeat($"\"{new string('1', length)}\"", count))}}]}"""
        );
        scene.Faulty.Always(HttpMethod.Get, Kind.Tags, (context, _) => context.Response.Body.WriteAsync(body).AsTask());
        var read = 0;
        RegistryException? fault = null;
        try
        {
            await foreach (var _ in scene.Client.ListTagsAsync("a", default))
                read++;
        }
        catch (RegistryException exception)
        {
            fault = exception;
        }
        Assert.That((read, fault?.IsLimitExceeded ?? false), Is.EqualTo(limit is null ? (count, false) : (0, true)));
        Assert.That(fault?.Message ?? "", Does.Contain(limit ?? ""));
    }

    /// <summary>A page of the greatest size consists of four million tags at most, whose strings alone would occupy 130 MB.</summary>
    [Test]
    public void A_page_is_parsed_only_up_to_the_limit()
    {
        var body = Encoding.UTF8.GetBytes($$"""{"tags":[{{string.Join(',', Enumerable.Repeat("\"1\"", 4_000_000))}}]}""");
        var request = new RegistryRequest(HttpMethod.Get, RegistryName.Parse("r.example"), "a", new Uri("http://r.example/v2/a/tags/list"))
        {
            Expected = [HttpStatusCode.OK],
        };
        var before = GC.GetAllocatedBytesForCurrentThread();
        Assert.That(() => new TagListParser().Parse(body, request, HttpStatusCode.OK), Throws.InstanceOf<RegistryException>());
        Assert.That(GC.GetAllocatedBytesForCurrentThread() - before, Is.LessThan(40 * 1024 * 1024));
    }

    private static async Task<RegistryScene> SceneAsync()
    {
        var scene = await RegistryScene.StartAsync();
        AddTags(scene.Registry);
        return scene;
    }

    private static void AddTags(InMemoryRegistry registry) =>
        registry.AddManifest("a", "application/json", """{"schemaVersion":2,"manifests":[]}"""u8.ToArray(), Tags);

    private static async Task<List<string>> ListAsync(RegistryScene scene) => await scene.Client.ListTagsAsync("a", default).ToListAsync();

    /// <summary>The registry's own link, at another address.</summary>
    private static RegistryFault MovedLink(string elsewhere) =>
        async (context, registry) =>
        {
            context.Response.OnStarting(() =>
            {
                if (context.Response.Headers.Link.ToString() is { Length: > 0 } link)
                    context.Response.Headers.Link = $"<{elsewhere}{link[link.IndexOf('?', StringComparison.Ordinal)..]}";
                return Task.CompletedTask;
            });
            await registry(context);
        };
}
