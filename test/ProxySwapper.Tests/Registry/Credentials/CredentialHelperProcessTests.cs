using System.Diagnostics;
using ProxySwapper.Registry;
using ProxySwapper.Registry.Credentials;
using ProxySwapper.Testing.Processes;
using ProxySwapper.Testing.Time;

namespace ProxySwapper.Tests.Registry.Credentials;

/// <summary>Helpers that misbehave.</summary>
[TestFixture, NonParallelizable, FixtureLifeCycle(LifeCycle.InstancePerTestCase)]
internal sealed class CredentialHelperProcessTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly string? _path = Environment.GetEnvironmentVariable("PATH");

    [SetUp]
    public void Prepare() => Environment.SetEnvironmentVariable("PATH", $"{_folder.PathOf("")}:{_path}");

    public void Dispose()
    {
        Environment.SetEnvironmentVariable("PATH", _path);
        _folder.Dispose();
    }

    [Test]
    public async Task A_slow_helper_is_killed()
    {
        Helper("slow", $"echo $$ > {_folder.PathOf("pid")}; exec sleep 600");
        var time = new ManualTimeProvider();
        var running = RunHelperAsync("slow", time);
        await TestWait.UntilAsync(() => ReadPid() is not null);
        await time.FireAsync(CredentialHelperProcess.Timeout);
        Assert.That(async () => await running, Throws.TypeOf<RegistryCredentialException>().With.Message.Contains("timed out after 30 s"));
        await TestWait.UntilAsync(() => !IsRunning(ReadPid()!.Value));
    }

    [Test]
    public async Task A_cancelled_helper_is_killed()
    {
        Helper("slow", $"echo $$ > {_folder.PathOf("pid")}; exec sleep 600");
        using var stop = new CancellationTokenSource();
        var running = RunHelperAsync("slow", TimeProvider.System, stop.Token);
        await TestWait.UntilAsync(() => ReadPid() is not null);
        await stop.CancelAsync();
        Assert.That(async () => await running, Throws.InstanceOf<OperationCanceledException>());
        await TestWait.UntilAsync(() => !IsRunning(ReadPid()!.Value));
    }

    [Test]
    public void A_helper_with_endless_output_is_killed()
    {
        Helper("loud", "exec yes");
        Assert.That(
            async () => await RunHelperAsync("loud", TimeProvider.System),
            Throws.TypeOf<RegistryCredentialException>().With.Message.Contains("returned more than")
        );
    }

    [Test]
    public async Task A_helper_that_does_not_read_its_input_may_respond()
    {
        Helper("deaf", """exec 0<&-; echo '{"Username":"u","Secret":"p"}'""");
        Assert.That((await RunHelperAsync("deaf", TimeProvider.System))!.Password, Is.EqualTo("p"));
    }

    [Test]
    public async Task A_process_that_a_helper_leaves_behind_is_not_waited_for()
    {
        Helper("forking", $"sleep 600 & echo $! > {_folder.PathOf("pid")}; exit 3");
        var time = new ManualTimeProvider();
        var running = RunHelperAsync("forking", time);
        await time.FireAsync(TimeSpan.FromSeconds(1));
        Assert.That(
            async () => await running,
            Throws.TypeOf<RegistryCredentialException>().With.Message.Contains("failed with exit code 3")
        );
        using var left = Process.GetProcessById(ReadPid()!.Value);
        left.Kill();
    }

    [TestCase("""{"credHelpers":{"r.example":"proxyswapper"}}""")]
    [TestCase("""{"credsStore":"proxyswapper"}""")]
    public async Task The_program_never_asks_itself(string config)
    {
        Helper("proxyswapper", $"touch {_folder.PathOf("called")}; exit 1");
        _folder.Write("config.json", config);
        Assert.That(
            await DockerConfigSource
                .FromFile(_folder.PathOf("config.json"))
                .GetAsync(ImageReference.Parse("r.example/a"), CancellationToken.None),
            Is.Null
        );
        Assert.That(_folder.PathOf("called"), Does.Not.Exist);
    }

    private Task<RegistryCredential?> RunHelperAsync(string helper, TimeProvider time, CancellationToken cancellationToken = default)
    {
        var config = _folder.Write("config.json", $$"""{"credHelpers":{"r.example":"{{helper}}"} }""");
        return DockerConfigSource.FromFile(config, time).GetAsync(ImageReference.Parse("r.example/a"), cancellationToken).AsTask();
    }

    private void Helper(string name, string body) => _folder.WriteScript($"docker-credential-{name}", body);

    private int? ReadPid() =>
        File.Exists(_folder.PathOf("pid")) && int.TryParse(File.ReadAllText(_folder.PathOf("pid")), out var id) ? id : null;

    private static bool IsRunning(int id)
    {
        try
        {
            using var process = Process.GetProcessById(id);
            return !process.HasExited;
        }
        catch (ArgumentException)
        {
            return false;
        }
    }
}
