using System.Diagnostics;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using ProxySwapper.Kubernetes;
using ProxySwapper.Kubernetes.Connection;
using ProxySwapper.Testing.Processes;

namespace ProxySwapper.Testing.Kubernetes;

/// <summary>
/// A real control plane without controllers and nodes: etcd and kube-apiserver from the folder in <c>KUBEBUILDER_ASSETS</c>,
/// on free ports of the loopback address, with RBAC. Pods stay as admitted, and their service accounts need not exist.
/// </summary>
internal sealed class KubeApiServer : IAsyncDisposable
{
    /// <summary>The token of an administrator, who may also impersonate others.</summary>
    public const string AdministratorToken = "administrator-of-a-test";

    /// <summary>The token of a user with the name of the chart's ServiceAccount and all permissions.</summary>
    public const string AccountToken = "account-of-a-test";

    /// <summary>The user of <see cref="AccountToken"/>: a service account that may do everything.</summary>
    public const string AccountUser = "system:serviceaccount:proxyswapper:proxyswapper";

    /// <summary>The same for the service account of the uninstall hook.</summary>
    public const string UninstallToken = "uninstallation-of-a-test";

    /// <summary>The user of <see cref="UninstallToken"/>.</summary>
    public const string UninstallUser = "system:serviceaccount:proxyswapper:proxyswapper-uninstall";
    private static readonly TimeSpan StartDeadline = TimeSpan.FromMinutes(3);

    private readonly DirectoryInfo _folder;
    private readonly string _assets;
    private readonly IReadOnlyList<string> _options;
    private readonly TestCertificates _certificates = new();
    private readonly List<TestProcess> _processes = [];
    private string[] _arguments = [];

    private KubeApiServer(DirectoryInfo folder, string assets, int port, IReadOnlyList<string> options)
    {
        (_folder, _assets, _options) = (folder, assets, options);
        Address = new Uri($"https://127.0.0.1:{port}");
        Kubeconfig = Path.Combine(folder.FullName, "kubeconfig");
        Client = null!;
    }

    public Uri Address { get; }

    /// <summary>A kubeconfig file of an administrator.</summary>
    public string Kubeconfig { get; }

    /// <summary>The kubectl next to the server.</summary>
    public string Kubectl => Path.Combine(_assets, "kubectl");

    /// <summary>The authority of the server's certificate, PEM.</summary>
    public string AuthorityFile => Path.Combine(_folder.FullName, "ca.crt");

    /// <summary>An administrator's client.</summary>
    internal KubernetesClient Client { get; private set; }

    /// <summary>Starts a server from the folder in <c>KUBEBUILDER_ASSETS</c>.</summary>
    public static Task<KubeApiServer> StartAsync()
    {
        var assets = Environment.GetEnvironmentVariable("KUBEBUILDER_ASSETS");
        return HasServer(assets)
            ? StartAsync(assets!)
            : throw new InvalidOperationException(
                "This test needs a folder with kube-apiserver, etcd and kubectl in "
                    + "KUBEBUILDER_ASSETS; test/setup/kube-apiserver prints one, and test/run sets it."
            );
    }

    /// <summary>Whether a folder has an API server.</summary>
    public static bool HasServer(string? assets) => assets is not null && File.Exists(Path.Combine(assets, "kube-apiserver"));

    /// <summary>Starts a server from a folder with kube-apiserver, etcd and kubectl.</summary>
    /// <param name="assets">The folder.</param>
    /// <param name="options">Additional options of kube-apiserver.</param>
    public static async Task<KubeApiServer> StartAsync(string assets, params string[] options)
    {
        ForeignServer.Starting("kube-apiserver");
        var server = new KubeApiServer(Directory.CreateTempSubdirectory("kube-apiserver-"), assets, TestProcess.FreePort(), options);
        try
        {
            await server.StartProcessesAsync();
            return server;
        }
        catch
        {
            await server.DisposeAsync();
            throw;
        }
    }

    /// <summary>Whether a certificate is this server's.</summary>
    public bool HasSigned(X509Certificate2? certificate) => _certificates.HasSigned(certificate);

    /// <summary>An administrator's client for requests that <see cref="Client"/> does not send.</summary>
    public HttpClient CreateHttpClient()
    {
        var handler = new SocketsHttpHandler
        {
            SslOptions = { RemoteCertificateValidationCallback = (_, certificate, _, _) => HasSigned(certificate as X509Certificate2) },
        };
        var client = new HttpClient(handler) { BaseAddress = Address };
        client.DefaultRequestHeaders.Authorization = new("Bearer", AdministratorToken);
        return client;
    }

    /// <summary>A kubeconfig file for another user, such as a service account's token.</summary>
    public string KubeconfigOf(string token)
    {
        var file = Path.Combine(_folder.FullName, $"kubeconfig-{Guid.NewGuid():n}");
        WriteKubeconfig(file, token);
        return file;
    }

    /// <summary>Runs kubectl as an administrator.</summary>
    /// <returns>Its standard output.</returns>
    /// <exception cref="InvalidOperationException">It failed; the message is its own.</exception>
    public Task<string> KubectlAsync(params string[] arguments) => KubectlWithInputAsync("", arguments);

    /// <inheritdoc cref="KubectlAsync"/>
    public async Task<string> KubectlWithInputAsync(string input, params string[] arguments)
    {
        var (exitCode, output, error) = await TryKubectlAsync(input, arguments);
        return exitCode == 0 ? output : throw new InvalidOperationException($"kubectl {string.Join(' ', arguments)}: {error}{output}");
    }

    /// <summary>Runs kubectl as an administrator, allowing failure.</summary>
    public Task<(int ExitCode, string Output, string Error)> TryKubectlAsync(string input, params string[] arguments) =>
        TestProcess.RunAsync(Kubectl, ["--kubeconfig", Kubeconfig, "--cache-dir", InFolder("cache"), .. arguments], input: input);

    /// <summary>Creates a namespace with the name label that selectors use.</summary>
    public async Task<string> CreateNamespaceAsync()
    {
        var name = $"test-{Guid.NewGuid():n}"[..20];
        await KubectlWithInputAsync(
            $"apiVersion: v1\nkind: Namespace\nmetadata:\n  name: {name}\n  labels:\n    kubernetes.io/metadata.name: {name}\n",
            "apply",
            "-f",
            "-"
        );
        return name;
    }

    /// <summary>Kills the API server; etcd and its data stay.</summary>
    public async Task KillAsync()
    {
        _processes[^1].KillNow();
        await _processes[^1].WaitForExitAsync();
    }

    /// <summary>Restarts a killed API server at the same address.</summary>
    public async Task StartAgainAsync()
    {
        _processes[^1].Dispose();
        _processes.RemoveAt(_processes.Count - 1);
        Start("kube-apiserver", _arguments);
        await WaitUntilItIsReadyAsync();
    }

    public ValueTask DisposeAsync()
    {
        Client?.Dispose();
        foreach (var process in Enumerable.Reverse(_processes))
            process.Dispose();
        _certificates.Dispose();
        _folder.Delete(recursive: true);
        return ValueTask.CompletedTask;
    }

    private async Task StartProcessesAsync()
    {
        var (etcd, peer) = (TestProcess.FreePort(), TestProcess.FreePort());
        Start(
            "etcd",
            "--data-dir",
            Path.Combine(_folder.FullName, "etcd"),
            "--unsafe-no-fsync",
            "--log-level",
            "warn",
            "--listen-client-urls",
            $"http://127.0.0.1:{etcd}",
            "--advertise-client-urls",
            $"http://127.0.0.1:{etcd}",
            "--listen-peer-urls",
            $"http://127.0.0.1:{peer}",
            "--initial-advertise-peer-urls",
            $"http://127.0.0.1:{peer}",
            "--initial-cluster",
            $"default=http://127.0.0.1:{peer}"
        );
        WriteCertificates();
        await File.WriteAllTextAsync(
            InFolder("tokens.csv"),
            $"{AdministratorToken},administrator,administrator,\"system:masters\"\n"
                + $"{AccountToken},{AccountUser},{AccountUser},\"system:masters\"\n"
                + $"{UninstallToken},{UninstallUser},{UninstallUser},\"system:masters\"\n"
        );
        _arguments =
        [
            "--etcd-servers",
            $"http://127.0.0.1:{etcd}",
            "--bind-address",
            "127.0.0.1",
            "--secure-port",
            $"{Address.Port}",
            "--tls-cert-file",
            InFolder("tls.crt"),
            "--tls-private-key-file",
            InFolder("tls.key"),
            "--token-auth-file",
            InFolder("tokens.csv"),
            "--authorization-mode",
            "RBAC",
            "--service-account-issuer",
            "https://kubernetes.default.svc",
            "--service-account-key-file",
            InFolder("accounts.key"),
            "--service-account-signing-key-file",
            InFolder("accounts.key"),
            "--service-cluster-ip-range",
            "10.0.0.0/24",
            "--endpoint-reconciler-type",
            "none",
            "--disable-admission-plugins",
            "ServiceAccount",
            "--allow-privileged=true",
            "--feature-gates",
            "EphemeralContainers=true",
            .. _options,
        ];
        Start("kube-apiserver", _arguments);
        WriteKubeconfig(Kubeconfig, AdministratorToken);
        Client = new KubernetesClient(new KubeconfigReader(TimeProvider.System).Read([Kubeconfig], null), TimeProvider.System);
        await WaitUntilItIsReadyAsync();
    }

    /// <summary>Ready includes the namespaces and priorities that the server makes for itself.</summary>
    private async Task WaitUntilItIsReadyAsync()
    {
        var watch = Stopwatch.StartNew();
        while (true)
        {
            try
            {
                if (
                    await Client.GetAsync("/api/v1/namespaces/default", CancellationToken.None) is not null
                    && await Client.GetAsync("/api/v1/namespaces/kube-system", CancellationToken.None) is not null
                    && (!MakesPriorityClasses || await HasPriorityClassAsync())
                )
                    return;
            }
            catch (KubernetesException) when (watch.Elapsed < StartDeadline && _processes.TrueForAll(process => !process.HasExited)) { }
            catch (KubernetesException fault)
            {
                throw new InvalidOperationException($"kube-apiserver did not come up:\n{Output}", fault);
            }
            if (watch.Elapsed > StartDeadline)
                throw new InvalidOperationException($"kube-apiserver did not make its namespaces:\n{Output}");
            await Task.Delay(TimeSpan.FromMilliseconds(50), TimeProvider.System);
        }
    }

    /// <summary>Kubernetes' server library alone, which stands in for new versions, makes none.</summary>
    private bool MakesPriorityClasses => _assets != Environment.GetEnvironmentVariable("MODERN_KUBEBUILDER_ASSETS");

    private async Task<bool> HasPriorityClassAsync() =>
        await Client.GetAsync("/apis/scheduling.k8s.io/v1/priorityclasses/system-cluster-critical", CancellationToken.None) is not null;

    private string Output => string.Join('\n', _processes.Select(process => process.Output));

    private string InFolder(string name) => Path.Combine(_folder.FullName, name);

    private void Start(string program, params string[] arguments) =>
        _processes.Add(TestProcess.Start(Path.Combine(_assets, program), arguments));

    private void WriteKubeconfig(string file, string token) =>
        File.WriteAllText(
            file,
            $"""
            apiVersion: v1
            kind: Config
            current-context: test
            contexts: [{"{"}name: test, context: {"{"}cluster: test, user: test{"}}"}]
            clusters: [{"{"}name: test, cluster: {"{"}server: "{Address}", certificate-authority: "{AuthorityFile}"{"}}"}]
            users: [{"{"}name: test, user: {"{"}token: "{token}"{"}}"}]
            """
        );

    private void WriteCertificates()
    {
        _certificates.WriteTo(_folder.FullName);
        using var accounts = RSA.Create(2048);
        File.WriteAllText(InFolder("accounts.key"), accounts.ExportRSAPrivateKeyPem());
    }
}
