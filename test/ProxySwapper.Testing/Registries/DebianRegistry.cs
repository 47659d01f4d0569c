using System.Diagnostics;
using System.Net;
using System.Text;
using ProxySwapper.Testing.Processes;

namespace ProxySwapper.Testing.Registries;

/// <summary>
/// A real registry: Debian's <c>docker-registry</c> as a process on a free port of the loopback address, with its data in its
/// own folder, which is deleted with it. Open, with htpasswd, or as a pull-through cache.
/// </summary>
internal sealed class DebianRegistry : IAsyncDisposable
{
    private const string Program = "docker-registry";
    private static readonly TimeSpan StartDeadline = TimeSpan.FromSeconds(20);

    private readonly Process _process;
    private readonly DirectoryInfo _folder;
    private readonly StringBuilder _output = new();

    private DebianRegistry(Process process, DirectoryInfo folder, int port)
    {
        (_process, _folder, Address) = (process, folder, $"127.0.0.1:{port}");
        process.OutputDataReceived += (_, line) => Keep(line.Data);
        process.ErrorDataReceived += (_, line) => Keep(line.Data);
    }

    /// <summary>Host and port, in the form used in references.</summary>
    public string Address { get; }

    /// <summary>The output of the process, including its access log.</summary>
    public string Output
    {
        get
        {
            lock (_output)
                return _output.ToString();
        }
    }

    /// <summary>The process.</summary>
    public int Id => _process.Id;

    /// <summary>Its data folder.</summary>
    public string DataFolder { get; private init; } = "";

    /// <summary>Anonymous read and write access.</summary>
    /// <param name="port">Its port, or 0 for a free one.</param>
    /// <param name="data">A data folder that is kept; null for one that is deleted with it.</param>
    public static Task<DebianRegistry> StartAsync(int port = 0, string? data = null) => StartAsync("", null, port, data);

    /// <summary>Requires this user with this password.</summary>
    public static Task<DebianRegistry> StartWithPasswordAsync(string username, string password, int port = 0) =>
        StartAsync("", (username, password), port);

    /// <summary>A read-only pull-through cache of another registry (<c>http://HOST:PORT</c>).</summary>
    public static Task<DebianRegistry> StartPullThroughAsync(string upstream, string? username = null, string? password = null) =>
        StartAsync($"proxy:\n  remoteurl: {upstream}\n" + (username is null ? "" : $"  username: {username}\n  password: {password}\n"));

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
            _process.Kill();
        await _process.WaitForExitAsync();
        _process.Dispose();
        _folder.Delete(recursive: true);
    }

    private static async Task<DebianRegistry> StartAsync(
        string section,
        (string Username, string Password)? user = null,
        int port = 0,
        string? data = null
    )
    {
        ForeignServer.Starting(Program);
        var folder = Directory.CreateTempSubdirectory("debian-registry-");
        if (port == 0)
            port = TestProcess.FreePort();
        data ??= Path.Combine(folder.FullName, "data");
        var configuration = new StringBuilder()
            .Append("version: 0.1\nlog:\n  level: info\nstorage:\n  filesystem:\n    rootdirectory: ")
            .Append(data)
            .Append('\n')
            .Append("  delete:\n    enabled: true\nhttp:\n  addr: 127.0.0.1:")
            .Append(port)
            .Append("\n  secret: of-a-test\n")
            .Append(section);
        if (user is { } known)
        {
            await HtpasswdAsync(Path.Combine(folder.FullName, "htpasswd"), known.Username, known.Password);
            configuration.Append("auth:\n  htpasswd:\n    realm: debian\n    path: ").Append(folder.FullName).Append("/htpasswd\n");
        }
        var file = Path.Combine(folder.FullName, "config.yml");
        await File.WriteAllTextAsync(file, configuration.ToString());
        var process = new Process
        {
            StartInfo = new ProcessStartInfo(Program, ["serve", file]) { RedirectStandardOutput = true, RedirectStandardError = true },
        };
        var registry = new DebianRegistry(process, folder, port) { DataFolder = data };
        Start(process, Program, "docker-registry");
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        await registry.WaitUntilItRespondsAsync();
        return registry;
    }

    private async Task WaitUntilItRespondsAsync()
    {
        using var client = new HttpClient();
        using var deadline = new CancellationTokenSource(StartDeadline);
        while (true)
        {
            try
            {
                using var response = await client.GetAsync(new Uri($"http://{Address}/v2/"), deadline.Token);
                if (response.StatusCode is HttpStatusCode.OK or HttpStatusCode.Unauthorized)
                    return;
            }
            catch (HttpRequestException) when (!_process.HasExited) { }
            catch (Exception fault) when (fault is HttpRequestException or OperationCanceledException)
            {
                throw new InvalidOperationException($"{Program} did not respond at {Address}:\n{Output}", fault);
            }
            await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System, CancellationToken.None);
        }
    }

    private static async Task HtpasswdAsync(string file, string username, string password)
    {
        using var process = new Process
        {
            StartInfo = new ProcessStartInfo("htpasswd", ["-Bbc", file, username, password]) { RedirectStandardError = true },
        };
        Start(process, "htpasswd", "apache2-utils");
        var error = await process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync();
        if (process.ExitCode != 0)
            throw new InvalidOperationException($"htpasswd: {error}");
    }

    private static void Start(Process process, string program, string package)
    {
        try
        {
            process.Start();
        }
        catch (System.ComponentModel.Win32Exception fault)
        {
            throw new InvalidOperationException(
                $"This test needs {program}: apt-get install {package}, or run test/run, which does.",
                fault
            );
        }
    }

    private void Keep(string? line)
    {
        lock (_output)
            _output.AppendLine(line);
    }
}
