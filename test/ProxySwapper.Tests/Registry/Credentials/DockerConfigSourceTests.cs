using ProxySwapper.Registry;
using ProxySwapper.Registry.Credentials;
using ProxySwapper.Testing.Processes;

namespace ProxySwapper.Tests.Registry.Credentials;

[TestFixture]
internal sealed class DockerConfigSourceTests
{
    // dXNlcjpzZWNyZXQ= is user:secret.
    [TestCase("""{"auths":{"r.example":{"auth":"dXNlcjpzZWNyZXQ="}}}""", "r.example/a", "user/secret")]
    [TestCase("""{"auths":{"r.example":{"auth":"dXNlcjpzZWNyZXQ="}}}""", "other.example/a", null)]
    [TestCase("""{"auths":{"https://r.example":{"auth":"dXNlcjpzZWNyZXQ="}}}""", "r.example/a", "user/secret")]
    [TestCase("""{"auths":{"https://r.example/v2/":{"auth":"dXNlcjpzZWNyZXQ="}}}""", "r.example/a", "user/secret")]
    [TestCase("""{"auths":{"https://index.docker.io/v1/":{"auth":"dXNlcjpzZWNyZXQ="}}}""", "nginx", "user/secret")]
    [TestCase("""{"auths":{"docker.io":{"auth":"dXNlcjpzZWNyZXQ="}}}""", "team/x", "user/secret")]
    [TestCase("""{"auths":{"registry.hub.docker.com":{"auth":"dXNlcjpzZWNyZXQ="}}}""", "index.docker.io/team/x", "user/secret")]
    [TestCase("""{"auths":{"https://Quay.io:443":{"auth":"dXNlcjpzZWNyZXQ="}}}""", "quay.IO/team/x", "user/secret")]
    [TestCase("""{"auths":{"r.example:5000":{"username":"u","password":"p"}}}""", "r.example:5000/a", "u/p")]
    [TestCase("""{"auths":{"r.example:5000":{"username":"u","password":"p"}}}""", "r.example/a", null)]
    [TestCase("""{"auths":{"r.example":{"identitytoken":"t"}}}""", "r.example/a", "token t")]
    [TestCase(
        """{"auths":{"r.example":{"auth":"dXNlcjpzZWNyZXQ="},"r.example/team":{"username":"u","password":"p"}}}""",
        "r.example/team/a",
        "u/p"
    )]
    [TestCase(
        """{"auths":{"r.example":{"auth":"dXNlcjpzZWNyZXQ="},"r.example/team":{"username":"u","password":"p"}}}""",
        "r.example/team2/a",
        "user/secret"
    )]
    [TestCase("""{"auths":{"*.example.com":{"username":"u","password":"p"}}}""", "r.example.com/a", "u/p")]
    [TestCase("""{"auths":{"*.example.com":{"username":"u","password":"p"}}}""", "a.b.example.com/a", null)]
    [TestCase(
        """{"auths":{"*.example.com":{"username":"u","password":"p"},"r.example.com":{"username":"exact","password":"p"}}}""",
        "r.example.com/a",
        "exact/p"
    )]
    [TestCase("""{"auths":{"r.example":{"auth":"not base64"}}}""", "r.example/a", null)]
    [TestCase("""{"auths":{"r.example":{}}}""", "r.example/a", null)]
    [TestCase("""{}""", "r.example/a", null)]
    public async Task A_key_applies_to_what_it_names(string json, string image, string? expected) =>
        Assert.That(
            Text(await DockerConfigSource.FromJson(json, "test").GetAsync(ImageReference.Parse(image), CancellationToken.None)),
            Is.EqualTo(expected)
        );

    [Test]
    public void Broken_json_is_reported_with_the_source_and_without_its_text() =>
        Assert.That(
            () => DockerConfigSource.FromJson("{\"auths\": {\n\"x\": top-secret", "pull secret ns/name"),
            Throws
                .TypeOf<RegistryCredentialException>()
                .With.Message.Contains("pull secret ns/name")
                .And.Message.Contains("line 2")
                .And.Message.Not.Contains("secret\"")
        );

    [Test]
    public async Task A_file_is_read_again_each_time_and_may_be_missing()
    {
        using var folder = new TemporaryFolder();
        var source = DockerConfigSource.FromFile(folder.PathOf("config.json"));
        var image = ImageReference.Parse("r.example/a");
        Assert.That(await source.GetAsync(image, CancellationToken.None), Is.Null);
        folder.Write("config.json", """{"auths":{"r.example":{"auth":"dXNlcjpzZWNyZXQ="}}}""");
        Assert.That(Text(await source.GetAsync(image, CancellationToken.None)), Is.EqualTo("user/secret"));
    }

    [Test]
    public async Task A_helper_is_run_for_its_host_and_another_for_the_rest()
    {
        using var folder = new TemporaryFolder();
        var path = Environment.GetEnvironmentVariable("PATH");
        try
        {
            Helper(folder, "one", """echo "{\"Username\":\"one\",\"Secret\":\"$server\"}" """);
            Helper(
                folder,
                "all",
                """if [ "$server" = none.example ]; then echo "credentials not found in native keychain"; exit 1; fi; """
                    + """echo "{\"Username\":\"<token>\",\"Secret\":\"$server\"}" """
            );
            Helper(folder, "bad", "echo top-secret; exit 3");
            Environment.SetEnvironmentVariable("PATH", $"{folder.PathOf("")}:{path}");
            var file = folder.Write(
                "config.json",
                """{"credsStore":"all","credHelpers":{"r.example":"one","bad.example":"bad","gone.example":"nowhere"}}"""
            );
            var source = DockerConfigSource.FromFile(file);
            Assert.Multiple(async () =>
            {
                Assert.That(
                    Text(await source.GetAsync(ImageReference.Parse("r.example/a"), CancellationToken.None)),
                    Is.EqualTo("one/r.example")
                );
                Assert.That(
                    Text(await source.GetAsync(ImageReference.Parse("nginx"), CancellationToken.None)),
                    Is.EqualTo("token https://index.docker.io/v1/")
                );
                Assert.That(await source.GetAsync(ImageReference.Parse("none.example/a"), CancellationToken.None), Is.Null);
                Assert.That(
                    async () => await source.GetAsync(ImageReference.Parse("bad.example/a"), CancellationToken.None),
                    Throws.TypeOf<RegistryCredentialException>().With.Message.Not.Contains("top-secret")
                );
                Assert.That(
                    async () => await source.GetAsync(ImageReference.Parse("gone.example/a"), CancellationToken.None),
                    Throws.TypeOf<RegistryCredentialException>().With.Message.Contains("docker-credential-nowhere")
                );
            });
        }
        finally
        {
            Environment.SetEnvironmentVariable("PATH", path);
        }
    }

    [Test]
    public void The_helpers_of_a_pull_secret_are_not_run() =>
        Assert.That(
            async () =>
                await DockerConfigSource
                    .FromJson("""{"credsStore":"evil","credHelpers":{"r.example":"evil"}}""", "test")
                    .GetAsync(ImageReference.Parse("r.example/a"), CancellationToken.None),
            Is.Null
        );

    private static void Helper(TemporaryFolder folder, string name, string body) =>
        folder.WriteScript($"docker-credential-{name}", $"server=$(cat)\n{body}");

    private static string? Text(RegistryCredential? credential) =>
        credential switch
        {
            null => null,
            { IdentityToken: { } token } => $"token {token}",
            _ => $"{credential.Username}/{credential.Password}",
        };
}
