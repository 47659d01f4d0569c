using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging.Abstractions;
using ProxySwapper.Configuration;
using ProxySwapper.Management;
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
    private const string Collector = "OTEL_EXPORTER_OTLP_ENDPOINT";
    private const string Login = """{"auths":{"r.example":{"username":"u","password":"p"}}}""";

    private readonly Dictionary<string, string?> _old = [];

    [SetUp]
    public void KeepVariables()
    {
        foreach (var variable in new[] { Variable, Collector })
            _old[variable] = Environment.GetEnvironmentVariable(variable);
    }

    [TearDown]
    public void RestoreVariables()
    {
        foreach (var (variable, value) in _old)
            Environment.SetEnvironmentVariable(variable, value);
    }

    [Test]
    public async Task Credentials_are_read_from_the_given_environment()
    {
        Environment.SetEnvironmentVariable(Variable, null);
        using var services = RegistryServices.Create(
            [],
            new EnvironmentVariables([KeyValuePair.Create(Variable, Login)]),
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

    [Test]
    public void A_local_host_does_not_export_to_the_machines_collector()
    {
        Environment.SetEnvironmentVariable(Collector, "http://127.0.0.1:1");
        using var host = ServeHost.Create(new ProxySwapperOptions(), null, null, _ => { }, isLocal: true);
        Assert.That(host.Services.GetServices<IHostedService>(), Has.None.InstanceOf<OtlpFailureLog>());
        using var served = ServeHost.Create(new ProxySwapperOptions(), null, null, _ => { });
        Assert.That(served.Services.GetServices<IHostedService>(), Has.Some.InstanceOf<OtlpFailureLog>());
    }

    private static async Task<string?> UserAsync(RegistryServices services) =>
        (await services.Credentials.GetAsync(ImageReference.Parse("r.example/team/app:1"), default))?.Username;
}
