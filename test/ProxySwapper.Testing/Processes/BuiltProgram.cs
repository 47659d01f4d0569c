using System.Diagnostics;

namespace ProxySwapper.Testing.Processes;

/// <summary>The built program in its own process, without any cloud identity.</summary>
internal static class BuiltProgram
{
    /// <summary>
    /// How to start it: with these arguments, and these environment variables in addition to the test's own, without cloud identities of
    /// a developer.
    /// </summary>
    public static ProcessStartInfo StartInfo(IEnumerable<string> arguments, params (string Name, string? Value)[] environment)
    {
        var (file, all) = ProxySwapperProgram.CommandOf(arguments);
        var start = new ProcessStartInfo(file, all) { RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (
            var name in start
                .Environment.Keys.Where(name =>
                    name.StartsWith("AWS_", StringComparison.Ordinal)
                    || name.StartsWith("AZURE_", StringComparison.Ordinal)
                    || name.StartsWith("GOOGLE_", StringComparison.Ordinal)
                )
                .ToList()
        )
            start.Environment.Remove(name);
        foreach (var (name, value) in environment)
            start.Environment[name] = value;
        return start;
    }

    /// <summary>Runs it until it exits.</summary>
    public static async Task<ProgramResult> RunAsync(IEnumerable<string> arguments, params (string Name, string? Value)[] environment)
    {
        using var process = Process.Start(StartInfo(arguments, environment))!;
        var output = process.StandardOutput.ReadToEndAsync();
        var error = process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync();
        return new ProgramResult(process.ExitCode, await output, await error);
    }
}

/// <summary>The result of a run of the program.</summary>
internal sealed record ProgramResult(int ExitCode, string Output, string Error);
