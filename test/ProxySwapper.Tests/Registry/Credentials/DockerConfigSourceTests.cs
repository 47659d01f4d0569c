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

    /// <summary>An anonymous request would hide the mistake. In a pull Secret, it only concerns its own namespace.</summary>
    [TestCase("""{"auths":{"r.example":{"auth":"!!"}}}""", "auths['r.example'].auth must be user:password in Base64")]
    [TestCase("""{"auths":{"https://r.example/team":{"auth":"eA=="}}}""", "auths['r.example/team'].auth must be user:password in")]
    [TestCase("""{"auths":{"*.example":{"auth":7}}}""", "auths['*.example'].auth must be user:password in Base64")]
    [TestCase("""{"auths":{"r.example":"dXNlcjpzZWNyZXQ="}}""", "auths['r.example'] must be an object")]
    [TestCase("""{"auths":1}""", "auths must be an object")]
    [TestCase("""{"credHelpers":{"r.example":"x"}}""", "credHelpers['r.example'] is not run from a variable", false)]
    public async Task A_login_of_our_own_that_is_not_understood_is_an_error(string json, string fault, bool isAlsoInFile = true)
    {
        var image = ImageReference.Parse("r.example/team/a");
        using var folder = new TemporaryFolder();
        var variables = new EnvironmentVariables([KeyValuePair.Create("DOCKER_AUTH_CONFIG", json)]);
        var sources = new Dictionary<string, DockerConfigSource> { ["DOCKER_AUTH_CONFIG"] = DockerConfigSource.Defaults(variables)[0] };
        if (isAlsoInFile)
        {
            var file = folder.Write("config.json", json);
            sources[file] = DockerConfigSource.FromFile(file);
        }
        foreach (var (name, source) in sources)
        {
            var error = Assert.ThrowsAsync<RegistryCredentialException>(async () => await source.GetAsync(image, CancellationToken.None))!;
            Assert.That(error.Message, Does.StartWith($"{name}: {fault}").And.Not.Contain("secret"));
        }
        Assert.That(await DockerConfigSource.FromJson(json, "test").GetAsync(image, CancellationToken.None), Is.Null);
    }

    [TestCase("""{"auths":{"other.example":{"auth":"!!"}}}""")]
    [TestCase("""{"auths":{"r.example":{}}}""")]
    [TestCase("""{"auths":{"r.example":{"auth":""}}}""")]
    [TestCase("""{"auths":{"r.example":null}}""")]
    [TestCase("""{"auths":null,"credHelpers":{"other.example":"x"}}""")]
    public async Task An_entry_of_another_host_or_without_a_login_is_none(string json)
    {
        var variables = new EnvironmentVariables([KeyValuePair.Create("DOCKER_AUTH_CONFIG", json)]);
        var source = DockerConfigSource.Defaults(variables)[0];
        Assert.That(await source.GetAsync(ImageReference.Parse("r.example/a"), CancellationToken.None), Is.Null);
    }

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
