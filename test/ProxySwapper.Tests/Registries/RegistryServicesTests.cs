using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using ProxySwapper.Configuration;
using ProxySwapper.Population.Transfer;
using ProxySwapper.Registries;
using ProxySwapper.Registry;
using ProxySwapper.Serving;

namespace ProxySwapper.Tests.Registries;

/// <summary>Which environment credentials come from.</summary>
[TestFixture, NonParallelizable]
internal sealed class RegistryServicesTests
{
    private const string Variable = "DOCKER_AUTH_CONFIG";
    private const string Login = """{"auths":{"r.example":{"username":"u","password":"p"}}}""";

    private string? _old;

    [SetUp]
    public void KeepVariable() => _old = Environment.GetEnvironmentVariable(Variable);

    [TearDown]
    public void RestoreVariable() => Environment.SetEnvironmentVariable(Variable, _old);

    [Test]
    public async Task Credentials_are_read_from_the_given_environment()
    {
        Environment.SetEnvironmentVariable(Variable, null);
        using var services = RegistryServices.Create(
            [],
            name => name == Variable ? Login : null,
            TimeProvider.System,
            NullLoggerFactory.Instance
        );
        Assert.That(await UserAsync(services), Is.EqualTo("u"));
    }

    [Test]
    public async Task A_local_host_such_as_the_demos_does_not_use_the_machines_credentials()
    {
        Environment.SetEnvironmentVariable(Variable, Login);
        using var host = ServeHost.Create(new ProxySwapperOptions(), null, null, _ => { }, isLocal: true);
        Assert.That(await UserAsync(host.Services.GetRequiredService<RegistryConnections>().ForCopies), Is.Null);
    }

    private static async Task<string?> UserAsync(RegistryServices services) =>
        (await services.Credentials.GetAsync(ImageReference.Parse("r.example/team/app:1"), default))?.Username;
}
