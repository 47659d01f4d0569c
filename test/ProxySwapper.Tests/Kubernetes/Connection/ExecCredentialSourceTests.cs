using System.Diagnostics;
using System.Globalization;
using Microsoft.Extensions.Time.Testing;
using ProxySwapper.Kubernetes.Connection;
using ProxySwapper.Testing.Processes;
using ProxySwapper.Testing.Time;

namespace ProxySwapper.Tests.Kubernetes.Connection;

[TestFixture, FixtureLifeCycle(LifeCycle.InstancePerTestCase)]
internal sealed class ExecCredentialSourceTests : IDisposable
{
    private readonly FakeTimeProvider _time = new(new DateTimeOffset(2026, 1, 1, 0, 0, 0, TimeSpan.Zero));
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Test]
    public async Task A_plugin_is_run_again_when_its_credential_expires_or_is_rejected()
    {
        var count = _folder.PathOf("count");
        _folder.WriteScript(
            "plugin",
            $$"""
            echo x >> {{count}}
            printf '{"apiVersion":"client.authentication.k8s.io/v1beta1","status":' &&
              printf '{"token":"%s","expirationTimestamp":"2026-01-01T01:00:00Z"} }' "$(wc -l < {{count}})"
            """
        );
        var source = Plugin("client.authentication.k8s.io/v1beta1", _folder.PathOf("plugin"));
        Task<string?> Token(bool rejected = false) =>
            source
                .GetAsync(rejected, default)
                .AsTask()
                .ContinueWith(credential => credential.Result.Authorization!.Parameter, TaskScheduler.Default);
        var tokens = new List<string?> { await Token(), await Token(), await Token(rejected: true) };
        _time.Advance(TimeSpan.FromHours(1));
        tokens.Add(await Token());
        Assert.That(tokens, Is.EqualTo(["1", "1", "2", "3"]));
    }

    [Test]
    public void A_plugin_that_fails_is_quoted_and_one_that_is_missing_comes_with_its_hint()
    {
        _folder.WriteScript("plugin", "echo 'no session' >&2; exit 3");
        var failing = Assert.ThrowsAsync<KubernetesConnectionException>(() =>
            Plugin("client.authentication.k8s.io/v1", _folder.PathOf("plugin")).GetAsync(false, default).AsTask()
        );
        Assert.That(failing!.Message, Does.EndWith("plugin exited with code 3: no session."));
        _folder.WriteScript("silent", "exit 137");
        var silent = Assert.ThrowsAsync<KubernetesConnectionException>(() =>
            Plugin("client.authentication.k8s.io/v1", _folder.PathOf("silent")).GetAsync(false, default).AsTask()
        );
        Assert.That(silent!.Message, Does.EndWith("silent exited with code 137: it printed no error."));
        var missing = Assert.ThrowsAsync<KubernetesConnectionException>(() =>
            Plugin("client.authentication.k8s.io/v1", "no-such-program-anywhere").GetAsync(false, default).AsTask()
        );
        Assert.That(missing!.Message, Does.Contain("cannot be started").And.Contain("get it from example.com"));
    }

    [Test]
    public async Task A_plugin_may_print_more_than_a_pipe_buffers()
    {
        var message = _folder.Write("message", new string('x', 100_000));
        var output = _folder.Write(
            "output",
            $$"""{"apiVersion":"client.authentication.k8s.io/v1","padding":"{{new string('x', 200_000)}}","status":{"token":"long"} }"""
        );
        _folder.WriteScript("plugin", $"cat {message} >&2; cat {output}");
        var source = Plugin("client.authentication.k8s.io/v1", _folder.PathOf("plugin"));
        Assert.That((await source.GetAsync(false, default)).Authorization!.Parameter, Is.EqualTo("long"));
    }

    [Test]
    public void The_output_of_a_plugin_is_never_printed()
    {
        _folder.WriteScript("plugin", "echo 'topsecret'");
        var fault = Assert.ThrowsAsync<KubernetesConnectionException>(() =>
            Plugin("client.authentication.k8s.io/v1", _folder.PathOf("plugin")).GetAsync(false, default).AsTask()
        );
        Assert.That(fault!.Message, Does.EndWith("returned output that is not an ExecCredential.").And.Not.Contain("topsecret"));
    }

    [TestCase("a\\nb", TestName = "A_token_with_a_line_break_is_not_sent")]
    [TestCase("\\u0000", TestName = "A_token_with_a_NUL_is_not_sent")]
    [TestCase("\\u00f6", TestName = "A_token_with_an_umlaut_is_not_sent")]
    public void A_token_that_no_header_can_have_is_not_sent(string token)
    {
        Script($$"""{"token":"{{token}}"}""");
        Assert.That(
            FaultOf(_folder.PathOf("plugin")),
            Does.EndWith("plugin returned a token that is not valid: it must be printable ASCII characters, on one line.")
        );
    }

    [Test]
    public void A_certificate_that_is_not_valid_is_the_plugins()
    {
        Script("""{"clientCertificateData":"a","clientKeyData":"b"}""");
        Assert.That(FaultOf(_folder.PathOf("plugin")), Does.Contain("plugin returned a client certificate that is not valid: "));
    }

    [Test]
    public void A_directory_is_no_plugin() =>
        Assert.That(FaultOf("/tmp"), Is.EqualTo("The credential plugin /tmp cannot be started: it is a directory."));

    [Test]
    public void A_plugin_that_prints_without_end_is_stopped() =>
        Assert.That(FaultOf("yes"), Is.EqualTo("The credential plugin yes returned more than 1048576 characters."));

    [Test]
    public async Task A_plugin_that_hangs_is_named()
    {
        var time = new ManualTimeProvider();
        _folder.WriteScript("plugin", $"touch {_folder.PathOf("started")}; exec sleep 1000");
        var first = Plugin("client.authentication.k8s.io/v1", _folder.PathOf("plugin"), time);
        var asking = first.GetAsync(false, default).AsTask();
        await TestWait.UntilAsync(() => File.Exists(_folder.PathOf("started")));
        var waiting = first.GetAsync(false, default).AsTask();
        await time.FireAsync(TimeSpan.FromSeconds(60));
        // Whoever waited for it is told too, instead of waiting for another run.
        foreach (var request in new[] { asking, waiting })
            Assert.That(
                async () => await request,
                Throws.TypeOf<KubernetesConnectionException>().With.Message.EndsWith("plugin timed out after 60 s.")
            );
    }

    [Test]
    public async Task A_process_that_a_plugin_leaves_behind_is_not_waited_for()
    {
        var time = new ManualTimeProvider();
        _folder.WriteScript("plugin", $"sleep 1000 & echo $! > {_folder.PathOf("pid")}; exit 1");
        var asking = Plugin("client.authentication.k8s.io/v1", _folder.PathOf("plugin"), time).GetAsync(false, default).AsTask();
        await time.FireAsync(TimeSpan.FromSeconds(1));
        Assert.That(
            async () => await asking,
            Throws.TypeOf<KubernetesConnectionException>().With.Message.EndsWith("plugin exited with code 1: it printed no error.")
        );
        using var left = Process.GetProcessById(
            int.Parse(await File.ReadAllTextAsync(_folder.PathOf("pid")), CultureInfo.InvariantCulture)
        );
        left.Kill();
    }

    private void Script(string status) =>
        _folder.WriteScript(
            "plugin",
            $$"""cat <<'END'{{'\n'}}{"apiVersion":"client.authentication.k8s.io/v1","status":{{status}}}{{'\n'}}END"""
        );

    private string FaultOf(string command) =>
        Assert
            .ThrowsAsync<KubernetesConnectionException>(() =>
                Plugin("client.authentication.k8s.io/v1", command, TimeProvider.System).GetAsync(false, default).AsTask()
            )!
            .Message;

    private ExecCredentialSource Plugin(string version, string command, TimeProvider? time = null) =>
        new(new ExecPlugin(version, command, [], []) { InstallHint = "get it from example.com" }, time ?? _time);
}
