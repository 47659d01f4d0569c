namespace ProxySwapper.Testing.Processes;

/// <summary>
/// The program as it is tested: as it is published where the variable <c>PUBLISHED_PROXYSWAPPER</c> says where, since what is compiled
/// ahead can
/// differ from what is built; else as it was built.
/// </summary>
internal static class ProxySwapperProgram
{
    /// <summary>The variable that says where it is published.</summary>
    public const string Variable = "PUBLISHED_PROXYSWAPPER";

    private static readonly string? Published = Environment.GetEnvironmentVariable(Variable) is { Length: > 0 } path ? path : null;

    /// <summary>Starts the program.</summary>
    public static TestProcess Start(IEnumerable<string> arguments, IReadOnlyDictionary<string, string>? environment = null)
    {
        var (file, all) = CommandOf(arguments);
        return TestProcess.Start(file, all, environment);
    }

    /// <summary>Runs the program to its end.</summary>
    public static Task<(int ExitCode, string Output, string Error)> RunAsync(
        IEnumerable<string> arguments,
        IReadOnlyDictionary<string, string>? environment = null,
        string? input = null
    )
    {
        var (file, all) = CommandOf(arguments);
        return TestProcess.RunAsync(file, all, environment, input);
    }

    /// <summary>How the program is called.</summary>
    public static (string File, IEnumerable<string> Arguments) CommandOf(IEnumerable<string> arguments) =>
        Published is not null
            ? (Published, arguments)
            : ("dotnet", ["exec", Path.Combine(AppContext.BaseDirectory, "proxyswapper.dll"), .. arguments]);
}
