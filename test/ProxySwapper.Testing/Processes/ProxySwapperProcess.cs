using System.Runtime.InteropServices;
using ProxySwapper.Testing.Time;

namespace ProxySwapper.Testing.Processes;

/// <summary>The built program as <c>serve</c>, with its own certificate and configuration in a temporary folder.</summary>
internal sealed class ProxySwapperProcess : IAsyncDisposable
{
    private readonly TestProcess _process;

    private ProxySwapperProcess(TestProcess process, TestCertificates certificates, string folder, int port, int managementPort)
    {
        (_process, Certificates, Folder, Port, ManagementPort) = (process, certificates, folder, port, managementPort);
        Management = new HttpClient { BaseAddress = new Uri($"http://localhost:{managementPort}") };
    }

    public TestCertificates Certificates { get; }

    public string Folder { get; }

    public string ConfigurationFile => Path.Combine(Folder, "config.yaml");

    public int Port { get; }

    public int ManagementPort { get; }

    public HttpClient Management { get; }

    public string Log => _process.Output;

    public int Id => _process.Id;

    /// <summary>Starts <c>serve</c> and waits until it is ready.</summary>
    /// <param name="configuration">YAML; ports and certificate files are added to it.</param>
    /// <param name="environment">Further variables.</param>
    /// <param name="port">The webhook's port, or 0 for a free one.</param>
    /// <param name="openFiles">Limit of open files; null for that of this process.</param>
    public static async Task<ProxySwapperProcess> StartAsync(
        string configuration,
        IReadOnlyDictionary<string, string>? environment = null,
        int port = 0,
        int? openFiles = null
    )
    {
        var folder = Directory.CreateTempSubdirectory("proxyswapper-").FullName;
        var certificates = new TestCertificates();
        certificates.WriteTo(folder);
        var ports = (Webhook: port == 0 ? TestProcess.FreePort() : port, Management: TestProcess.FreePort());
        File.WriteAllText(Path.Combine(folder, "config.yaml"), Complete(configuration, folder, ports.Webhook, ports.Management));
        var (program, arguments) = ProxySwapperProgram.CommandOf(["serve", "--config", Path.Combine(folder, "config.yaml")]);
        string[] limited = openFiles is { } limit ? ["sh", "-c", $"ulimit -n {limit} && exec \"$0\" \"$@\""] : [];
        // A background job of a shell ignores SIGINT, and so would everything that it starts.
        var start = TestProcess.StartInfo("env", ["--default-signal=INT", .. limited, program, .. arguments]);
        ProxySwapperProgram.RemoveClouds(start.Environment);
        foreach (var (name, value) in environment ?? new Dictionary<string, string>())
            start.Environment[name] = value;
        var process = TestProcess.Start(start);
        var running = new ProxySwapperProcess(process, certificates, folder, ports.Webhook, ports.Management);
        await TestWait.UntilAsync(
            async () =>
                process.HasExited ? throw new InvalidOperationException($"serve ended: {running.Log}") : await running.IsReadyAsync(),
            "readiness of the webhook"
        );
        return running;
    }

    /// <summary>A configuration with the settings that every test process needs.</summary>
    public string Complete(string configuration) => Complete(configuration, Folder, Port, ManagementPort);

    /// <summary>A client that only trusts this process's certificate authority.</summary>
    public HttpClient CreateClient() =>
        new(
            new SocketsHttpHandler
            {
                SslOptions =
                {
                    RemoteCertificateValidationCallback = (_, certificate, _, _) =>
                        Certificates.HasSigned(certificate as System.Security.Cryptography.X509Certificates.X509Certificate2),
                },
            }
        )
        {
            BaseAddress = new Uri($"https://localhost:{Port}"),
        };

    public async Task<bool> IsReadyAsync()
    {
        try
        {
            using var response = await Management.GetAsync("/readyz");
            return response.IsSuccessStatusCode;
        }
        catch (HttpRequestException)
        {
            return false;
        }
    }

    public void Terminate() => _process.Signal(PosixSignal.SIGTERM);

    public void Interrupt() => _process.Signal(PosixSignal.SIGINT);

    public void Kill() => _process.KillNow();

    public Task<int> WaitForExitAsync() => _process.WaitForExitAsync();

    public ValueTask DisposeAsync()
    {
        _process.Dispose();
        Management.Dispose();
        Certificates.Dispose();
        Directory.Delete(Folder, recursive: true);
        return ValueTask.CompletedTask;
    }

    private static string Complete(string configuration, string folder, int port, int managementPort) =>
        $"""
            {configuration}
            port: {port}
            managementPort: {managementPort}
            tlsCertPath: {folder}/tls.crt
            tlsKeyPath: {folder}/tls.key
            {(configuration.Contains("drainDelay", StringComparison.Ordinal) ? "" : "drainDelay: 0")}
            """;
}
