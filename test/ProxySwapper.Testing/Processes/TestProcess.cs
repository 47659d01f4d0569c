using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;

namespace ProxySwapper.Testing.Processes;

/// <summary>A process that runs alongside a test, with its output.</summary>
internal sealed partial class TestProcess : IDisposable
{
    private const int FirstPort = 10_000;
    private const int PortCount = 22_000;

    /// <summary>Begins anywhere, since other runs may use ports at the same time.</summary>
    private static int _ports = Random.Shared.Next(PortCount);

    private readonly Process _process;
    private readonly ConcurrentQueue<string> _lines = new();

    private TestProcess(Process process) => _process = process;

    /// <summary>All lines of standard output and standard error so far.</summary>
    public string Output => string.Join('\n', _lines);

    public bool HasExited => _process.HasExited;

    public int Id => _process.Id;

    /// <summary>How to start a program whose output is read, with these variables in addition to the test's own.</summary>
    public static ProcessStartInfo StartInfo(
        string program,
        IEnumerable<string> arguments,
        IReadOnlyDictionary<string, string>? environment = null
    )
    {
        var start = new ProcessStartInfo(program, arguments)
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            RedirectStandardInput = true,
        };
        foreach (var (name, value) in environment ?? new Dictionary<string, string>())
            start.Environment[name] = value;
        return start;
    }

    public static TestProcess Start(
        string program,
        IEnumerable<string> arguments,
        IReadOnlyDictionary<string, string>? environment = null
    ) => Start(StartInfo(program, arguments, environment));

    /// <param name="start">From <see cref="StartInfo" />.</param>
    public static TestProcess Start(ProcessStartInfo start)
    {
        var running = new TestProcess(new Process { StartInfo = start });
        running._process.OutputDataReceived += (_, line) => running.Add(line.Data);
        running._process.ErrorDataReceived += (_, line) => running.Add(line.Data);
        running._process.Start();
        running._process.BeginOutputReadLine();
        running._process.BeginErrorReadLine();
        return running;
    }

    /// <summary>Runs a program until it exits.</summary>
    public static Task<(int ExitCode, string Output, string Error)> RunAsync(
        string program,
        IEnumerable<string> arguments,
        IReadOnlyDictionary<string, string>? environment = null,
        string? input = null
    ) => RunAsync(StartInfo(program, arguments, environment), input);

    /// <summary>Runs a program until it exits.</summary>
    /// <param name="start">From <see cref="StartInfo" />.</param>
    /// <param name="input">What it reads from its standard input.</param>
    public static async Task<(int ExitCode, string Output, string Error)> RunAsync(ProcessStartInfo start, string? input = null)
    {
        // What dotnet leaves running would keep the output open long after its exit.
        start.Environment.TryAdd("MSBUILDDISABLENODEREUSE", "1");
        start.Environment.TryAdd("UseSharedCompilation", "false");
        using var process = Process.Start(start)!;
        if (input is not null)
            await process.StandardInput.WriteAsync(input);
        process.StandardInput.Close();
        var (output, error) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        await process.WaitForExitAsync();
        return (process.ExitCode, await output, await error);
    }

    /// <summary>
    /// A free port, another one at each call. Linux chooses the ports of outgoing connections from 32768 on, so none of them takes this one
    /// before it is used.
    /// </summary>
    public static int FreePort()
    {
        for (var attempt = 0; attempt < PortCount; attempt++)
        {
            var port = FirstPort + (int)((uint)Interlocked.Increment(ref _ports) % PortCount);
            try
            {
                using var listener = new TcpListener(IPAddress.Loopback, port);
                listener.Start();
                return port;
            }
            catch (SocketException)
            {
                // Something else listens there.
            }
        }
        throw new InvalidOperationException("All ports are in use.");
    }

    public void Signal(PosixSignal signal)
    {
        if (
            Kill(
                _process.Id,
                signal switch
                {
                    PosixSignal.SIGTERM => 15,
                    PosixSignal.SIGINT => 2,
                    _ => throw new ArgumentOutOfRangeException(nameof(signal)),
                }
            ) != 0
        )
            throw new InvalidOperationException("The process is gone.");
    }

    public void KillNow() => _process.Kill();

    public async Task<int> WaitForExitAsync()
    {
        await _process.WaitForExitAsync();
        return _process.ExitCode;
    }

    public void Dispose()
    {
        if (!_process.HasExited)
        {
            _process.Kill(entireProcessTree: true);
            _process.WaitForExit();
        }
        _process.Dispose();
    }

    private void Add(string? line)
    {
        if (line is not null)
            _lines.Enqueue(line);
    }

    [LibraryImport("libc", EntryPoint = "kill", SetLastError = true)]
    private static partial int Kill(int process, int signal);
}
