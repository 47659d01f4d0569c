using Microsoft.Extensions.Time.Testing;
using ProxySwapper.Configuration.Yaml;
using ProxySwapper.Kubernetes.Connection;
using ProxySwapper.Registry;
using ProxySwapper.Testing.Processes;

namespace ProxySwapper.Tests.Kubernetes.Connection;

[TestFixture, FixtureLifeCycle(LifeCycle.InstancePerTestCase)]
internal sealed class KubeconfigReaderTests : IDisposable
{
    private readonly FakeTimeProvider _time = new(new DateTimeOffset(2026, 1, 1, 0, 0, 0, TimeSpan.Zero));
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Test]
    public async Task The_current_context_gives_server_namespace_and_token()
    {
        var connection = Read(_folder.Write("config", Config("token: secret")));
        Assert.That((connection.Server.AbsoluteUri, connection.Namespace), Is.EqualTo(("https://one.example.com:6443/", "team")));
        Assert.That((await connection.Credentials.GetAsync(false, default)).Authorization!.ToString(), Is.EqualTo("Bearer secret"));
    }

    [Test]
    public async Task A_user_with_a_password_is_basic()
    {
        var connection = Read(_folder.Write("config", Config("{ username: u, password: p }")));
        Assert.That((await connection.Credentials.GetAsync(false, default)).Authorization!.ToString(), Is.EqualTo("Basic dTpw"));
    }

    [Test]
    public async Task Paths_are_relative_to_their_file()
    {
        var file = _folder.Write("config", Config("tokenFile: token.txt", "certificate-authority: ca.pem"));
        _folder.Write("token.txt", "from-file\n");
        _folder.Write("ca.pem", "authority");
        var connection = Read(file);
        Assert.That((await connection.Credentials.GetAsync(false, default)).Authorization!.Parameter, Is.EqualTo("from-file"));
        Assert.That(connection.CertificateAuthorities!.Read(), Is.EqualTo("authority"));
    }

    [Test]
    public void The_first_of_several_files_with_a_name_wins_and_missing_ones_are_skipped()
    {
        var first = _folder.Write(
            "first",
            "current-context: here\nclusters: [{ name: c, cluster: { server: https://first.example.com } }]\n"
        );
        var second = _folder.Write(
            "second",
            "current-context: other\ncontexts: [{ name: here, context: { cluster: c } }]\n"
                + "clusters: [{ name: c, cluster: { server: https://second.example.com } }]\n"
        );
        var list = string.Join(Path.PathSeparator, _folder.PathOf("gone"), first, second);
        var connection = KubernetesConnection.Find(null, null, Variable("KUBECONFIG", list), _time);
        Assert.That((connection.Server.Host, connection.Namespace), Is.EqualTo(("first.example.com", "default")));
    }

    [Test]
    public void A_context_that_is_missing_is_named()
    {
        var file = _folder.Write("config", Config("token: x"));
        var fault = Assert.Throws<KubernetesConnectionException>(() => new KubeconfigReader(_time).Read([file], "gone"));
        Assert.That(fault!.Message, Is.EqualTo($"{file} has no context named 'gone'."));
    }

    [Test]
    public void Tls_and_proxy_settings_and_impersonation_are_read()
    {
        var connection = Read(
            _folder.Write(
                "config",
                Config(
                    "{ token: x, as: someone, as-uid: u, as-groups: [a], as-user-extra: { example.com/scope: [c] } }",
                    "tls-server-name: inner",
                    "insecure-skip-tls-verify: true",
                    "proxy-url: http://proxy:3128"
                )
            )
        );
        Assert.That(
            (connection.TlsServerName, connection.InsecureSkipTlsVerify, connection.Proxy!.Port),
            Is.EqualTo(("inner", true, 3128))
        );
        Assert.That(
            connection.Impersonation.Select(header => $"{header.Key}={header.Value}"),
            Is.EqualTo(["Impersonate-User=someone", "Impersonate-Uid=u", "Impersonate-Group=a", "Impersonate-Extra-example.com%2Fscope=c"])
        );
    }

    [TestCase("clusters: [\n", "config:")]
    [TestCase("- a\n- b\n", "the document must be a mapping of keys to values")]
    [TestCase("just text\n", "the document must be a mapping of keys to values")]
    [TestCase("\u0000\u0001\u007fELF\u0002\ufffd\n: {", "config:")]
    [TestCase("current-context: here\ncontexts: 3\n", "contexts: must be a list")]
    [TestCase("current-context: {}\n", "current-context: must be a string")]
    [TestCase("current-context: here\ncontexts: [{ name: here, context: [] }]\n", "context: must be a mapping")]
    public void An_invalid_kubeconfig_is_reported_with_file_and_line(string text, string message)
    {
        var file = _folder.Write("config", text);
        var fault = Assert.Throws<ConfigurationException>(() => Read(file))!;
        Assert.That(fault.Message, Does.StartWith($"{file}:").And.Contain(message));
    }

    [Test]
    public void A_file_that_cannot_be_read_or_is_too_large_is_reported()
    {
        var large = _folder.Write("large", new string('#', 5 * 1024 * 1024));
        Assert.That(
            Assert.Throws<KubernetesConnectionException>(() => Read(large))!.Message,
            Is.EqualTo($"{large} cannot be read: it is larger than 4 MiB")
        );
        Assert.That(
            Assert.Throws<KubernetesConnectionException>(() => Read(_folder.PathOf("")))!.Message,
            Is.EqualTo($"Kubeconfig not found: {_folder.PathOf("")}.")
        );
    }

    [Test]
    public void Without_a_connection_the_error_lists_the_places_searched()
    {
        var fault = Assert.Throws<KubernetesConnectionException>(() =>
            KubernetesConnection.Find(null, null, Variable("HOME", _folder.PathOf("")), _time)
        );
        Assert.That(fault!.Message, Does.Contain("KUBECONFIG").And.Contain("service account").And.Contain(_folder.PathOf("")));
    }

    [Test]
    public async Task A_pod_uses_its_account()
    {
        _folder.Write("token", "mounted");
        _folder.Write("namespace", "own\n");
        _folder.Write("ca.crt", "authority");
        var environment = new EnvironmentVariables(
            new Dictionary<string, string> { ["KUBERNETES_SERVICE_HOST"] = "fd00::1", ["KUBERNETES_SERVICE_PORT"] = "443" }
        );
        var connection = InClusterConnection.Find(environment, _time, _folder.PathOf(""))!;
        Assert.That(
            (connection.Server.AbsoluteUri, connection.Namespace, connection.UsesEnvironmentProxy),
            Is.EqualTo(("https://[fd00::1]/", "own", false))
        );
        Assert.That((await connection.Credentials.GetAsync(false, default)).Authorization!.Parameter, Is.EqualTo("mounted"));
    }

    [Test]
    public void An_address_of_the_cluster_that_is_not_valid_is_reported()
    {
        _folder.Write("token", "mounted");
        var environment = new EnvironmentVariables(
            new Dictionary<string, string> { ["KUBERNETES_SERVICE_HOST"] = "a b", ["KUBERNETES_SERVICE_PORT"] = "https" }
        );
        var fault = Assert.Throws<KubernetesConnectionException>(() => InClusterConnection.Find(environment, _time, _folder.PathOf("")))!;
        Assert.That(
            fault.Message,
            Is.EqualTo("KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT must be a host and a port, not 'a b' and 'https'.")
        );
    }

    [Test]
    public async Task A_plugin_is_run_in_the_directory_of_its_file_with_its_arguments_and_environment()
    {
        _folder.WriteScript(
            "plugin",
            """
            printf '{"apiVersion":"client.authentication.k8s.io/v1","kind":"ExecCredential","status":{"token":"%s-%s-%s"}}' \
              "$1" "$EXTRA" "$(echo "$KUBERNETES_EXEC_INFO" | grep -c one.example.com)"
            """
        );
        var connection = Read(
            _folder.Write(
                "config",
                Config(
                    "exec: { apiVersion: client.authentication.k8s.io/v1, command: ./plugin, args: [first], "
                        + "env: [{ name: EXTRA, value: second }], provideClusterInfo: true }"
                )
            )
        );
        Assert.That((await connection.Credentials.GetAsync(false, default)).Authorization!.Parameter, Is.EqualTo("first-second-1"));
    }

    private KubernetesConnection Read(string file) => new KubeconfigReader(_time).Read([file], null);

    private static string Config(string user, params string[] cluster) =>
        $"""
            apiVersion: v1
            kind: Config
            current-context: here
            contexts:
            - name: here
              context:
                cluster: c
                user: u
                namespace: team
            clusters:
            - name: c
              cluster:
                server: https://one.example.com:6443
            {string.Join("\n", cluster.Select(line => $"    {line}"))}
            users:
            - name: u
              user:
                {user}
            """;

    private static EnvironmentVariables Variable(string name, string value) => new([KeyValuePair.Create(name, value)]);
}
