using ProxySwapper.Testing.Images;
using ProxySwapper.Testing.Processes;
using ProxySwapper.Testing.Registries;
using ProxySwapper.Testing.Time;

namespace ProxySwapper.IntegrationTests.Population;

/// <summary>From a Pod on a real API server to an image in a real registry, with the built program in between.</summary>
[TestFixture, NeedsServer]
internal sealed class EndToEndTests
{
    private const string User = "populator";
    private const string Password = "s3cret";

    private DebianRegistry _upstream = null!;
    private DebianRegistry _downstream = null!;

    [OneTimeSetUp]
    public async Task StartAsync()
    {
        _upstream = await DebianRegistry.StartAsync();
        _downstream = await DebianRegistry.StartWithPasswordAsync(User, Password);
    }

    [OneTimeTearDown]
    public async Task StopAsync()
    {
        await _upstream.DisposeAsync();
        await _downstream.DisposeAsync();
    }

    [Test]
    public async Task The_image_of_a_pod_appears_downstream_with_its_digest()
    {
        var image = TestImage.Create(1, 2, 10_000, "amd64", "arm64");
        await image.PushAsync(_upstream.Address, "team/app", "1");
        await using var scene = await StartSceneAsync();
        var pod = await scene.CreatePodAsync("app", $"{_upstream.Address}/team/app:1");
        Assert.That(PopulationScene.ImageOf(pod), Is.EqualTo($"{_downstream.Address}/mirror/team/app:1"));
        await TestWait.UntilAsync(
            async () => await DigestAsync(PopulationScene.ImageOf(pod)) == image.Top.Digest.ToString(),
            "the image downstream"
        );
        await Skopeo.PullAsync(PopulationScene.ImageOf(pod), $"{User}:{Password}");
        await TestWait.UntilAsync(async () => (int)(await scene.PopulateAsync())["known"]! == 1);
        Assert.That(
            await scene.MetricsAsync(),
            Does.Match("""proxyswapper_populate_copies_total\{registry="[^"]+",result="copied"\} 1\n""")
                .And.Contain("proxyswapper_populate_known_images 1")
        );
        Assert.That(scene.Webhook.Log, Does.Contain(image.Top.Digest.ToString()).And.Not.Contain(Password));
    }

    [Test]
    public async Task With_one_platform_its_manifest_stands_under_the_tag_and_a_digest_keeps_its_bytes()
    {
        var image = TestImage.Create(2, 1, 1000, "amd64", "arm64");
        await image.PushAsync(_upstream.Address, "team/platforms", "1");
        await using var scene = await StartSceneAsync("populate: {platform: linux/arm64}");
        var tagged = await scene.CreatePodAsync("tagged", $"{_upstream.Address}/team/platforms:1");
        var pinned = await scene.CreatePodAsync("pinned", $"{_upstream.Address}/team/platforms@{image.Top.Digest}");
        await TestWait.UntilAsync(
            async () => await DigestAsync(PopulationScene.ImageOf(tagged)) == image.Platforms["arm64"].Digest.ToString(),
            "the platform's manifest"
        );
        await TestWait.UntilAsync(
            async () => await DigestAsync(PopulationScene.ImageOf(pinned)) == image.Top.Digest.ToString(),
            "the index"
        );
    }

    [Test]
    public async Task A_private_source_is_opened_by_the_pull_secrets_of_the_pod_alone()
    {
        await using var privateUpstream = await DebianRegistry.StartWithPasswordAsync("owner", "of-the-image");
        var image = TestImage.Create(3);
        await image.PushAsync(privateUpstream.Address, "team/private", "1", "owner", "of-the-image");
        await using var scene = await StartSceneAsync("populate: {pullSecrets: true, maxRetries: 0}", privateUpstream.Address);
        await scene.Cluster.KubectlAsync(
            "-n",
            scene.Namespace,
            "create",
            "secret",
            "docker-registry",
            "key",
            $"--docker-server={privateUpstream.Address}",
            "--docker-username=owner",
            "--docker-password=of-the-image"
        );
        await scene.CreatePodAsync("without", $"{privateUpstream.Address}/team/private:1");
        await TestWait.UntilAsync(async () => await scene.CountAsync("givenUp") == 1, "the rejection");
        var with = await scene.CreatePodOfAsync(
            $$"""{"metadata":{"name":"with"},"spec":{"imagePullSecrets":[{"name":"key"}],"containers":"""
                + $$"""[{"name":"main","image":"{{privateUpstream.Address}}/team/private:1"}]} }"""
        );
        await TestWait.UntilAsync(
            async () => await DigestAsync(PopulationScene.ImageOf(with)) == image.Top.Digest.ToString(),
            "the image downstream"
        );
        Assert.That(scene.Webhook.Log, Does.Contain("401").And.Not.Contain("of-the-image"));
    }

    [Test]
    public async Task A_server_dry_run_copies_nothing()
    {
        await TestImage.Create(4).PushAsync(_upstream.Address, "team/dry", "1");
        await using var scene = await StartSceneAsync();
        await scene.CreatePodAsync("dry", $"{_upstream.Address}/team/dry:1", "--dry-run=server");
        // The next job in the queue has been done, so the dry run was not queued before it.
        await TestImage.Create(5).PushAsync(_upstream.Address, "team/wet", "1");
        var wet = await scene.CreatePodAsync("wet", $"{_upstream.Address}/team/wet:1");
        await TestWait.UntilAsync(
            async () => await DigestAsync(PopulationScene.ImageOf(wet)) is not null,
            "the image of the Pod that exists"
        );
        Assert.That(await DigestAsync($"{_downstream.Address}/mirror/team/dry:1"), Is.Null);
    }

    [Test]
    public async Task The_owner_of_a_pod_gets_an_event_about_the_failure()
    {
        await using var scene = await StartSceneAsync();
        await scene.CreatePodAsync("missing", $"{_upstream.Address}/team/none:1");
        await TestWait.UntilAsync(
            async () =>
                (await scene.Cluster.KubectlAsync("-n", scene.Namespace, "describe", "pod", "missing")).Contains(
                    "ImagePopulateFailed",
                    StringComparison.Ordinal
                ),
            "the Event"
        );
        var description = await scene.Cluster.KubectlAsync("-n", scene.Namespace, "describe", "pod", "missing");
        Assert.That(
            description,
            Does.Contain($"Copying {_upstream.Address}/team/none:1 to {_downstream.Address}/mirror/team/none:1 failed").And.Contain("404")
        );
    }

    [Test]
    public async Task Immediate_responds_when_the_image_is_there()
    {
        var image = TestImage.Create(6);
        await image.PushAsync(_upstream.Address, "team/now", "1");
        await using var scene = await StartSceneAsync("populate: {policy: immediate, deadline: 4s}");
        var pod = await scene.CreatePodAsync("now", $"{_upstream.Address}/team/now:1");
        Assert.That(await DigestAsync(PopulationScene.ImageOf(pod)), Is.EqualTo(image.Top.Digest.ToString()));
    }

    [Test]
    public async Task Exists_rewrites_what_is_there_and_copies_the_rest_for_the_next_time()
    {
        var image = TestImage.Create(7);
        await image.PushAsync(_upstream.Address, "team/later", "1");
        await using var scene = await StartSceneAsync("swapPolicy: exists");
        var source = $"{_upstream.Address}/team/later:1";
        var first = await scene.CreatePodAsync("first", source);
        await TestWait.UntilAsync(
            async () => await DigestAsync($"{_downstream.Address}/mirror/team/later:1") is not null,
            "the image downstream"
        );
        await TestWait.UntilAsync(async () => (int)(await scene.PopulateAsync())["known"]! == 1);
        var second = await scene.CreatePodAsync("second", source);
        Assert.That(
            (PopulationScene.ImageOf(first), PopulationScene.ImageOf(second)),
            Is.EqualTo((source, $"{_downstream.Address}/mirror/team/later:1"))
        );
    }

    [Test]
    public async Task With_exists_a_downstream_registry_that_is_down_stops_no_pod()
    {
        var gone = $"127.0.0.1:{TestProcess.FreePort()}";
        await using var scene = await PopulationScene.StartAsync(
            $$"""
            rules: [{match: "{{_upstream.Address}}", target: "{{gone}}/mirror"}]
            swapPolicy: exists
            proxyHealth: {interval: 1s}
            """
        );
        var pod = await scene.CreatePodAsync("web", $"{_upstream.Address}/team/any:1");
        Assert.That(PopulationScene.ImageOf(pod), Is.EqualTo($"{_upstream.Address}/team/any:1"));
        await TestWait.UntilAsync(
            async () =>
                (await scene.Webhook.Management.GetStringAsync(new Uri("/readyz?verbose", UriKind.Relative))).Contains(
                    $"downstream: {gone} is failing, its images are left unchanged",
                    StringComparison.Ordinal
                ),
            "the notice"
        );
        Assert.That(await scene.MetricsAsync(), Does.Contain($"proxyswapper_downstream_up{{registry=\"{gone}\"}} 0"));
    }

    private Task<PopulationScene> StartSceneAsync(string more = "", string? upstream = null) =>
        PopulationScene.StartAsync(
            $$"""
            rules: [{match: "{{upstream ?? _upstream.Address}}", target: "{{_downstream.Address}}/mirror"}]
            registries:
              - host: "{{_downstream.Address}}"
                auth: basic
                usernameFrom: {env: DOWN_USER}
                passwordFrom: {env: DOWN_PASSWORD}
            {{more}}
            """,
            ("DOWN_USER", User),
            ("DOWN_PASSWORD", Password)
        );

    private static Task<string?> DigestAsync(string image) => Skopeo.DigestAsync(image, $"{User}:{Password}");
}
