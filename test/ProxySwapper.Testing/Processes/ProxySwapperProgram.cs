namespace ProxySwapper.Testing.Processes;

/// <summary>
/// The program under test: the published one if <c>PUBLISHED_PROXYSWAPPER</c> names it, since native code can differ from the build;
/// otherwise the built one.
/// </summary>
internal static class ProxySwapperProgram
{
    /// <summary>The environment variable with the path of the published program.</summary>
    public const string Variable = "PUBLISHED_PROXYSWAPPER";

    private static readonly string? Published = Environment.GetEnvironmentVariable(Variable) is { Length: > 0 } path ? path : null;

    /// <summary>Whether it is the published one.</summary>
    public static bool IsPublished => Published is not null;

    /// <summary>The program's file, for links to it.</summary>
    public static string File => Published ?? Path.Combine(AppContext.BaseDirectory, "proxyswapper");

    /// <summary>Starts the program.</summary>
    public static TestProcess Start(IEnumerable<string> arguments, IReadOnlyDictionary<string, string>? environment = null)
    {
        var (file, all) = CommandOf(arguments);
        return TestProcess.Start(file, all, environment);
    }

    /// <summary>Runs the program until it exits.</summary>
    public static Task<(int ExitCode, string Output, string Error)> RunAsync(
        IEnumerable<string> arguments,
        IReadOnlyDictionary<string, string>? environment = null,
        string? input = null
    )
    {
        var (file, all) = CommandOf(arguments);
        return TestProcess.RunAsync(file, all, environment, input);
    }

    /// <summary>The command that runs the program.</summary>
    public static (string File, IEnumerable<string> Arguments) CommandOf(IEnumerable<string> arguments) =>
        Published is not null
            ? (Published, arguments)
            : ("dotnet", ["exec", Path.Combine(AppContext.BaseDirectory, "proxyswapper.dll"), .. arguments]);
}
