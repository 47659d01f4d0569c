using ProxySwapper.Configuration;
using ProxySwapper.Registries;
using ProxySwapper.Registry;
using ProxySwapper.Registry.Credentials;
using ProxySwapper.Testing.Clouds;
using ProxySwapper.Testing.Processes;

namespace ProxySwapper.Tests.Registries;

[TestFixture]
[FixtureLifeCycle(LifeCycle.InstancePerTestCase)]
internal sealed class ConfiguredCredentialSourceTests
{
    private static readonly ImageReference Image = ImageReference.Parse("r.example/team/app");

    private readonly MutableCredentials _docker = new(RegistryCredential.Basic("docker", "d"));
    private readonly MutableCredentials _cloud = new(RegistryCredential.Basic("cloud", "1"), RegistryCredential.Basic("cloud", "2"));
    private readonly List<RegistryAuth> _clouds = [];

    [Test]
    public async Task A_clouds_host_only_uses_its_clouds_credentials(
        [Values(RegistryAuth.Ecr, RegistryAuth.Google, RegistryAuth.Azure)] RegistryAuth auth
    )
    {
        var chain = Chain(new RegistryEntryOptions { Host = RegistryName.Parse("r.example"), Auth = auth });
        Assert.That(await chain.GetAsync(Image, default), Is.EqualTo(_cloud.Current));
        Assert.That((_docker.Calls, _clouds.Single()), Is.EqualTo((0, auth)));
    }

    [TestCase("nginx")]
    [TestCase("registry-1.docker.io/library/nginx")]
    public async Task Docker_Hub_has_an_entry_under_any_of_its_names(string image)
    {
        var options = ConfigurationReader.ReadText(
            "c.yaml",
            "registries: [{host: Index.docker.io, auth: basic, usernameFrom: {env: A}, passwordFrom: {env: A}, requestsPerSecond: 7}]",
            EnvironmentVariables.None
        );
        var environment = new EnvironmentVariables([KeyValuePair.Create("A", "me")]);
        var source = new ConfiguredCredentialSource(options.Registries, environment, _ => throw new AssertionException("no cloud"));
        Assert.That((await source.GetAsync(ImageReference.Parse(image), default))!.Username, Is.EqualTo("me"));
        Assert.That(
            RegistryServices.OptionsOf(options.Registries).For(RegistryName.Parse("registry-1.docker.io:443")).RequestsPerSecond,
            Is.EqualTo(7)
        );
    }

    [Test]
    public async Task What_its_cloud_gave_is_renewed_by_it()
    {
        var chain = Chain(new RegistryEntryOptions { Host = RegistryName.Parse("r.example"), Auth = RegistryAuth.Ecr });
        var renewed = await chain.RenewAsync(Image, (await chain.GetAsync(Image, default))!, default);
        Assert.That((renewed!.Password, _docker.Calls, _docker.Renewed), Is.EqualTo(("2", 0, 0)));
    }

    [Test]
    public void A_cloud_that_has_nothing_for_it_is_an_error_and_not_anonymous()
    {
        _cloud.Current = null;
        Assert.That(
            async () =>
                await Chain(new RegistryEntryOptions { Host = RegistryName.Parse("r.example"), Auth = RegistryAuth.Azure })
                    .GetAsync(Image, default),
            Throws
                .InstanceOf<RegistryCredentialException>()
                .With.Message.EqualTo("registries: r.example has auth: azure, which has no credential for it")
        );
    }

    [Test]
    public async Task An_unconfigured_host_is_left_to_the_next_source()
    {
        Assert.That(
            await Chain(new RegistryEntryOptions { Host = RegistryName.Parse("r.example"), AwsProfile = "other" }).GetAsync(Image, default),
            Is.EqualTo(_docker.Current)
        );
        Assert.That(
            await Chain(new RegistryEntryOptions { Host = RegistryName.Parse("another.example"), Auth = RegistryAuth.Anonymous })
                .GetAsync(Image, default),
            Is.EqualTo(_docker.Current)
        );
    }

    [Test]
    public async Task An_anonymous_host_ends_the_chain() =>
        Assert.That(
            await Chain(new RegistryEntryOptions { Host = RegistryName.Parse("r.example"), Auth = RegistryAuth.Anonymous })
                .GetAsync(Image, default),
            Is.EqualTo(RegistryCredential.Anonymous)
        );

    [Test]
    public async Task A_password_is_read_again_each_time()
    {
        using var folder = new TemporaryFolder();
        var entry = new RegistryEntryOptions
        {
            Host = RegistryName.Parse("r.example"),
            Auth = RegistryAuth.Basic,
            UsernameFrom = new SecretSource("USER_OF_A_TEST", null),
            PasswordFrom = new SecretSource(null, folder.PathOf("password")),
        };
        foreach (var password in new[] { "first", "second" })
        {
            folder.Write("password", password + "\n");
            Assert.That(
                await Chain(entry).GetAsync(Image, default),
                Is.EqualTo(RegistryCredential.Basic("value of USER_OF_A_TEST", password))
            );
        }
    }

    private CredentialChain Chain(RegistryEntryOptions entry) =>
        new(
            new ConfiguredCredentialSource(
                [entry],
                new EnvironmentVariables([KeyValuePair.Create("USER_OF_A_TEST", "value of USER_OF_A_TEST")]),
                auth =>
                {
                    _clouds.Add(auth);
                    return _cloud;
                }
            ),
            _docker
        );
}
