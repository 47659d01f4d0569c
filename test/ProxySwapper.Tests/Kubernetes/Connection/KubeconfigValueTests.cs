using ProxySwapper.Configuration.Yaml;
using ProxySwapper.Kubernetes.Connection;
using ProxySwapper.Testing.Processes;

namespace ProxySwapper.Tests.Kubernetes.Connection;

/// <summary>Values of a kubeconfig that no request can be made with: each is reported with its line and key, and what is allowed.</summary>
[TestFixture, FixtureLifeCycle(LifeCycle.InstancePerTestCase)]
internal sealed class KubeconfigValueTests : IDisposable
{
    private const string Url = "must be a URL with one of these schemes: ";
    private const string ServerUrl = $"{Url}https, http; without user and password, and without query";
    private const string Name = "must be a host name or an IP address, without a port";
    private const string Header = "must be printable ASCII characters, on one line";
    private const string Command = "is required: the name or path of the credential plugin";

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [TestCase("server: ftp://c", "server", ServerUrl)]
    [TestCase("server: c", "server", ServerUrl)]
    [TestCase("server: https://c:99999", "server", ServerUrl)]
    [TestCase("server: 'https://[::1'", "server", ServerUrl)]
    [TestCase("server: https://user:secret@c", "server", ServerUrl)]
    [TestCase("server: https://c?a=b", "server", ServerUrl)]
    [TestCase("server: ''", "server", "is required: the URL of the API server")]
    [TestCase("server: []", "server", "must be a string")]
    [TestCase("{ server: https://c, proxy-url: nonsense }", "proxy-url", $"{Url}http, https, socks5")]
    [TestCase("{ server: https://c, certificate-authority-data: '%' }", "certificate-authority-data", "must be PEM in Base64")]
    [TestCase(
        "{ server: https://c, certificate-authority-data: eA== }",
        "certificate-authority-data",
        "the certificate authorities of the API server must be PEM, with one certificate at least"
    )]
    [TestCase("{ server: https://c, certificate-authority: \"a\\0b\" }", "certificate-authority", "must be a file path")]
    [TestCase("{ server: https://c, tls-server-name: 'a b' }", "tls-server-name", Name)]
    [TestCase("{ server: https://c, tls-server-name: a/b }", "tls-server-name", Name)]
    [TestCase("{ server: https://c, tls-server-name: a:443 }", "tls-server-name", Name)]
    [TestCase("{ server: https://c, tls-server-name: '**' }", "tls-server-name", Name)]
    [TestCase("{ server: https://c, tls-server-name: '>=1 <' }", "tls-server-name", Name)]
    [TestCase("{ server: https://c, tls-server-name: ö }", "tls-server-name", Name)]
    public void Of_a_cluster(string cluster, string key, string message) =>
        AssertFault(cluster, "{}", $"7:CC: clusters[0].cluster.{key}: {message}");

    [TestCase("token: \"a\\nb\"", "token", Header)]
    [TestCase("token: \"a\\0b\"", "token", Header)]
    [TestCase("token: ö", "token", Header)]
    [TestCase("tokenFile: \"a\\0b\"", "tokenFile", "must be a file path")]
    [TestCase("as: ö", "as", Header)]
    [TestCase("as: \"a\\nb\"", "as", Header)]
    [TestCase("as: ' '", "as", Header)]
    [TestCase("as-uid: \"a\\r\\nb\"", "as-uid", Header)]
    [TestCase("as-groups: [\"a\\nb\"]", "as-groups", Header)]
    [TestCase("as-groups: [a, b]", "as-groups", "has 2 values; only one is supported")]
    [TestCase("as-user-extra: { a: [\"b\\nc\"] }", "as-user-extra", Header)]
    [TestCase("as-user-extra: { a.b/c: [c, d, e] }", "as-user-extra.a.b/c", "has 3 values; only one is supported")]
    [TestCase("client-certificate-data: '%'", "client-certificate-data", "must be PEM in Base64")]
    [TestCase("{ client-certificate-data: eA==, client-key-data: '%' }", "client-key-data", "must be PEM in Base64")]
    [TestCase("auth-provider: {}", "auth-provider", "is not supported: Kubernetes removed it in 1.26; use an exec plugin")]
    public void Of_a_user(string user, string key, string message) =>
        AssertFault("server: https://c", user, $"10:CC: users[0].user.{key}: {message}");

    [TestCase("client-certificate-data: eA==")]
    [TestCase("client-certificate-data: LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS0tLS0tCkFBQUEKLS0tLS1FTkQgQ0VSVElGSUNBVEUtLS0tLQo=")]
    [TestCase("{ client-certificate-data: eA==, client-key-data: eA== }")]
    public void Of_a_client_certificate(string user) =>
        AssertFault("server: https://c", user, "10:CC: users[0].user.client-certificate-data: the client certificate is not valid: ");

    [TestCase("command: ''", "command", Command)]
    [TestCase("command: ' '", "command", Command)]
    [TestCase("args: [a]", "", Command)]
    [TestCase("command: \"a\\0b\"", "command", "must not contain a NUL, which would end it")]
    [TestCase("{ command: a, args: [\"a\\0b\"] }", "args[0]", "must not contain a NUL, which would end it")]
    [TestCase("{ command: a, env: [{ name: '' }] }", "env[0].name", "must be the name of a variable, without '='")]
    [TestCase("{ command: a, env: [{ name: a=b, value: c }] }", "env[0].name", "must be the name of a variable, without '='")]
    [TestCase("{ command: a, env: [{ name: a, value: \"b\\0c\" }] }", "env[0].value", "must not contain a NUL, which would end it")]
    [TestCase("{ command: a, interactiveMode: Always }", "interactiveMode", "Always is not supported")]
    public void Of_a_plugin(string exec, string key, string message)
    {
        var keys = exec[0] == '{' ? exec[1..^1] : exec;
        AssertFault(
            "server: https://c",
            $"exec: {{ apiVersion: client.authentication.k8s.io/v1, {keys} }}",
            $"10:CC: users[0].user.exec.{(key.Length == 0 ? "command" : key)}: {message}"
        );
    }

    [Test]
    public void A_version_of_plugins_that_is_unknown_is_reported() =>
        AssertFault(
            "server: https://c",
            "exec: { command: a, apiVersion: b }",
            "10:CC: users[0].user.exec.apiVersion: must be client.authentication.k8s.io/v1 or client.authentication.k8s.io/v1beta1"
        );

    [TestCase("..")]
    [TestCase("a/b")]
    [TestCase("Team")]
    public void Of_a_namespace(string name) =>
        AssertFault(
            "server: https://c",
            "{}",
            "4:CC: contexts[0].context.namespace: must be the name of a namespace: lower-case letters, digits, '-' and '.'",
            name
        );

    [TestCase("::1", "[::1]")]
    [TestCase("127.0.0.1", "127.0.0.1")]
    [TestCase("a_b.example.com", "a_b.example.com")]
    public void Names_of_servers_that_a_request_can_have(string name, string host) =>
        Assert.That(Read($"{{ server: https://c, tls-server-name: '{name}' }}", "{}", "n").TlsServerName, Is.EqualTo(host));

    /// <param name="cluster">The keys of the cluster.</param>
    /// <param name="user">The keys of the user.</param>
    /// <param name="start">How the only fault begins; CC stands for its column.</param>
    /// <param name="namespace">The namespace.</param>
    private void AssertFault(string cluster, string user, string start, string @namespace = "n")
    {
        var fault = Assert.Throws<ConfigurationException>(() => Read(cluster, user, @namespace))!.Faults.Single();
        var place = $"{_folder.PathOf("config")}:{start.Replace("CC", $"{fault.Column}", StringComparison.Ordinal)}";
        Assert.That(fault.ToString(), Does.StartWith(place).And.Not.Contain("secret"));
    }

    private KubernetesConnection Read(string cluster, string user, string @namespace)
    {
        var file = _folder.Write(
            "config",
            $"""
            current-context: here
            contexts:
            - name: here
              context: {Mapping($"cluster: c, user: u, namespace: {@namespace}")}
            clusters:
            - name: c
              cluster: {Mapping(cluster)}
            users:
            - name: u
              user: {Mapping(user)}
            """
        );
        return new KubeconfigReader(TimeProvider.System).Read([file], null);
    }

    private static string Mapping(string keys) => keys[0] == '{' ? keys : $"{{ {keys} }}";
}
