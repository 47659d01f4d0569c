using ProxySwapper.Testing.Processes;

namespace ProxySwapper.IntegrationTests.Chart;

/// <summary>An upgrade replaces the Pods for settings that the program reads only at startup, and for no others.</summary>
[TestFixture]
internal sealed class ChartRestartTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [TestCase("config: {registries: [{host: a.example, auth: anonymous}]}")]
    [TestCase("config: {logLevel: debug}")]
    [TestCase("config: {logFormat: text}")]
    [TestCase("config: {management: {tokenFrom: {env: TOKEN}}}")]
    [TestCase("management: {token: {secret: t}}")]
    [TestCase("config: {drainDelay: 6s}")]
    [TestCase("config: {shutdownGracePeriod: 26s}")]
    [TestCase("config: {port: 8444}")]
    [TestCase("config: {managementPort: 9091}")]
    [TestCase("certificates: {mode: selfSigned}")]
    public async Task Settings_of_the_startup_replace_the_Pods(string values) =>
        Assert.That(await PodAsync(values), Is.Not.EqualTo(await PodAsync("{}")));

    [TestCase("config: {rules: [{match: docker.io}, {match: quay.io, target: r.example/quay}]}")]
    [TestCase("config: {ignoreImages: [nginx]}")]
    [TestCase("webhook: {excludedNamespaces: [team-a]}")]
    [TestCase("dryRun: true")]
    public async Task Settings_that_are_reloaded_do_not(string values) =>
        Assert.That(await PodAsync(values), Is.EqualTo(await PodAsync("{}")));

    /// <summary>The program writes its authority into the webhook configuration that it knows by this name.</summary>
    [Test]
    public async Task Another_name_of_the_webhook_replaces_the_Pods()
    {
        const string SelfSigned = "certificates: {mode: selfSigned}";
        Assert.That(await PodAsync($"{SelfSigned}\nwebhook: {{name: another}}"), Is.Not.EqualTo(await PodAsync(SelfSigned)));
    }

    [Test]
    public async Task Settings_of_repositories_are_reloaded()
    {
        const string Registry = "host: 123456789012.dkr.ecr.eu-central-1.amazonaws.com, auth: ecr";
        Assert.That(
            await PodAsync($"config: {{registries: [{{{Registry}, createRepositories: {{scanOnPush: true}}}}]}}"),
            Is.EqualTo(await PodAsync($"config: {{registries: [{{{Registry}}}]}}"))
        );
    }

    [TestCase("auth: ecr, region: eu-west-1")]
    [TestCase("auth: google")]
    [TestCase("ttl: 24h, auth: ecr, region: eu-central-1")]
    public async Task Settings_of_a_cache_and_its_sidecar_replace_its_Pods(string upstream) =>
        Assert.That(await CacheAsync(upstream), Is.Not.EqualTo(await CacheAsync("auth: ecr, region: eu-central-1")));

    /// <summary>The annotations of a cache's Pods.</summary>
    private async Task<string> CacheAsync(string upstream)
    {
        var file = _folder.PathOf($"{Guid.NewGuid():n}.yaml");
        await File.WriteAllTextAsync(
            file,
            "webhook: {enabled: false}\n"
                + $"registryCache: {{enabled: true, upstreams: [{{name: a, port: 30001, remoteUrl: https://a.example.com, {upstream}}}]}}"
        );
        return (await HelmChart.ObjectsAsync(file)).Single(item => (string?)item["kind"] == "Deployment")["spec"]!["template"]![
            "metadata"
        ]!.ToJsonString();
    }

    /// <summary>The Pod template of the Deployment.</summary>
    private async Task<string> PodAsync(string values)
    {
        var file = _folder.PathOf($"{Guid.NewGuid():n}.yaml");
        await File.WriteAllTextAsync(file, values == "{}" ? "proxyUrl: r.example" : $"proxyUrl: r.example\n{values}");
        return (await HelmChart.ObjectsAsync(file)).Single(item => (string?)item["kind"] == "Deployment")["spec"]![
            "template"
        ]!.ToJsonString();
    }
}
