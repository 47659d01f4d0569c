using System.ComponentModel;
using System.Diagnostics;
using System.Text;
using ProxySwapper.Registry.Timing;

namespace ProxySwapper.Registry.Credentials;

/// <summary>Runs programs that print a credential: each to its end, within limits of time and output.</summary>
/// <param name="limit">How long one may run.</param>
/// <param name="maximumOutput">The most characters that it may print.</param>
/// <param name="time">The clock.</param>
public sealed class CredentialProgram(TimeSpan limit, int maximumOutput, TimeProvider time)
{
    /// <summary>How long pipes are read after the program has exited: a process that it left behind may hold them open for ever.</summary>
    private static readonly TimeSpan PipeLimit = TimeSpan.FromSeconds(1);

    /// <summary>Runs a program and reads its output. It does not keep running after a timeout or a cancellation.</summary>
    /// <param name="start">The program, with its arguments and environment.</param>
    /// <param name="input">What it is given on its standard input.</param>
    /// <param name="cancellationToken">Cancels the run.</param>
    /// <exception cref="CredentialProgramException">It cannot be started, takes too long or prints too much.</exception>
    public async Task<CredentialProgramResult> RunAsync(ProcessStartInfo start, string input, CancellationToken cancellationToken)
    {
        using var timeout = new OperationTimeout(limit, time, cancellationToken);
        using var reading = new OperationTimeout(Timeout.InfiniteTimeSpan, time, timeout.Token);
        using var process = Start(start);
        try
        {
            await WriteAsync(process.StandardInput, input);
            var output = ReadAsync(process.StandardOutput, rejectsMore: true, reading.Token);
            var error = ReadAsync(process.StandardError, rejectsMore: false, reading.Token);
            var exit = process.WaitForExitAsync(timeout.Token);
            // One that prints too much need not end by itself.
            await await Task.WhenAny(output, exit);
            await exit;
            reading.Restart(PipeLimit, "");
            return new CredentialProgramResult(process.ExitCode, await output, await error);
        }
        catch (OperationCanceledException fault) when (timeout.HasPassed)
        {
            throw new CredentialProgramException($"timed out after {limit.TotalSeconds:0} s", fault);
        }
        catch (IOException fault)
        {
            throw new CredentialProgramException($"cannot be read: {fault.Message}", fault);
        }
        finally
        {
            Stop(process);
        }
    }

    private static Process Start(ProcessStartInfo start)
    {
        start.RedirectStandardInput = start.RedirectStandardOutput = start.RedirectStandardError = true;
        if (Path.IsPathFullyQualified(start.FileName) && Directory.Exists(start.FileName))
            throw new CredentialProgramException("cannot be started: it is a directory");
        try
        {
            return Process.Start(start)!;
        }
        catch (Win32Exception fault)
        {
            // The system's words alone: .NET adds the program's path and the current directory.
            throw new CredentialProgramException($"cannot be started: {new Win32Exception(fault.NativeErrorCode).Message}", fault);
        }
    }

    private static async Task WriteAsync(StreamWriter input, string text)
    {
        try
        {
            await input.WriteAsync(text);
            input.Close();
        }
        catch (IOException)
        {
            // It exited without reading its input; its output counts.
        }
    }

    /// <summary>The text until its end, or until the reading is cancelled.</summary>
    private async Task<string> ReadAsync(StreamReader reader, bool rejectsMore, CancellationToken cancellationToken)
    {
        var buffer = new char[4096];
        var text = new StringBuilder();
        try
        {
            while (await reader.ReadAsync(buffer, cancellationToken) is > 0 and var read)
                if (text.Length + read <= maximumOutput)
                    text.Append(buffer, 0, read);
                else if (rejectsMore)
                    throw new CredentialProgramException($"returned more than {maximumOutput} characters");
        }
        catch (OperationCanceledException)
        {
            // What it printed itself has been read.
        }
        return text.ToString();
    }

    private static void Stop(Process process)
    {
        try
        {
            if (!process.HasExited)
                process.Kill(entireProcessTree: true);
        }
        catch (Exception fault) when (fault is Win32Exception or AggregateException or InvalidOperationException)
        {
            // It has just exited, or has become another user's.
        }
        process.StandardOutput.Dispose();
        process.StandardError.Dispose();
    }
}

/// <summary>What a program printed before it exited.</summary>
/// <param name="ExitCode">Its exit code.</param>
/// <param name="Output">Its standard output, which may contain a secret.</param>
/// <param name="Error">Its standard error, cut to the limit.</param>
public sealed record CredentialProgramResult(int ExitCode, string Output, string Error);

/// <summary>A program did not end by itself. The message continues a sentence that begins with its name.</summary>
/// <param name="message">What it did not do.</param>
/// <param name="innerException">The cause, or null.</param>
public sealed class CredentialProgramException(string message, Exception? innerException = null) : Exception(message, innerException);
