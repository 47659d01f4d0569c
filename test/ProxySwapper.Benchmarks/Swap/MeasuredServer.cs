using System.Diagnostics;
using ProxySwapper.Testing.Processes;

namespace ProxySwapper.Benchmarks.Swap;

/// <summary>A server in its own process, with its time to the first successful response of a page.</summary>
internal sealed class MeasuredServer : IDisposable
{
    private readonly Process _process;

    private MeasuredServer(Process process, int port, TimeSpan coldStart) => (_process, Port, ColdStart) = (process, port, coldStart);

    public int Port { get; }

    /// <summary>From the start of the process until it was ready.</summary>
    public TimeSpan ColdStart { get; }

    public double ResidentMegabytes
    {
        get
        {
            _process.Refresh();
            return _process.WorkingSet64 / 1e6;
        }
    }

    /// <summary>Starts the published program with the environment of the image.</summary>
    public static Task<MeasuredServer> StartProgramAsync(string program, string folder)
    {
        var (port, managementPort) = (TestProcess.FreePort(), TestProcess.FreePort());
        var file = Path.Combine(folder, $"{port}.yaml");
        File.WriteAllText(
            file,
            $"{SwapMeasurement.Configuration}\nport: {port}\nmanagementPort: {managementPort}\ntlsCertPath: "
                + $"{folder}/tls.crt\ntlsKeyPath: {folder}/tls.key\ndrainDelay: 0\n"
        );
        var start = new ProcessStartInfo(program, ["serve", "--config", file]);
        foreach (var (name, value) in ContainerFile.Environment())
            start.Environment[name] = value;
        return StartAsync(start, port, new Uri($"http://localhost:{managementPort}/readyz"));
    }

    /// <summary>Starts the endpoint that does nothing.</summary>
    public static Task<MeasuredServer> StartBaselineAsync(string folder)
    {
        var port = TestProcess.FreePort();
        return StartAsync(
            new ProcessStartInfo("dotnet", ["exec", typeof(BaselineServer).Assembly.Location, BaselineServer.Name, $"{port}", folder]),
            port,
            null
        );
    }

    public void Dispose()
    {
        _process.Kill();
        _process.WaitForExit();
        _process.Dispose();
    }

    private static async Task<MeasuredServer> StartAsync(ProcessStartInfo start, int port, Uri? ready)
    {
        // As in a cluster, the log goes to a pipe that is read.
        start.RedirectStandardOutput = true;
        var watch = Stopwatch.StartNew();
        var process = Process.Start(start)!;
        _ = process.StandardOutput.BaseStream.CopyToAsync(Stream.Null);
        using var client = new HttpClient();
        while (true)
        {
            try
            {
                if (ready is null)
                    using (var socket = new System.Net.Sockets.TcpClient())
                        await socket.ConnectAsync("localhost", port);
                else
                    (await client.GetAsync(ready)).EnsureSuccessStatusCode();
                return new MeasuredServer(process, port, watch.Elapsed);
            }
            catch (Exception exception)
                when (exception is HttpRequestException or System.Net.Sockets.SocketException
                    && !process.HasExited
                    && watch.Elapsed < TimeSpan.FromSeconds(30)
                )
            {
                await Task.Delay(TimeSpan.FromMilliseconds(2), TimeProvider.System);
            }
        }
    }
}
