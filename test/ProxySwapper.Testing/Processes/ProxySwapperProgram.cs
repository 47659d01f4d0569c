using System.Diagnostics;

namespace ProxySwapper.Testing.Processes;

/// <summary>
/// The program under test, without the cloud identities of a developer: the published one if <c>PUBLISHED_PROXYSWAPPER</c> names it, since
/// native code can differ from the build; otherwise the built one.
/// </summary>
internal static class ProxySwapperProgram
{
    /// <summary>The environment variable with the path of the published program.</summary>
    public const string Variable = "PUBLISHED_PROXYSWAPPER";

    private static readonly string[] CloudPrefixes = ["AWS_", "AZURE_", "GOOGLE_"];

    private static readonly string? Published = Environment.GetEnvironmentVariable(Variable) is { Length: > 0 } path ? path : null;

    /// <summary>Whether it is the published one.</summary>
    public static bool IsPublished => Published is not null;

    /// <summary>The program's file, for links to it.</summary>
    public static string File => Published ?? Path.Combine(AppContext.BaseDirectory, "proxyswapper");

    /// <summary>How to start it: with these arguments, and these variables in addition to the test's own; null removes one.</summary>
    public static ProcessStartInfo StartInfo(IEnumerable<string> arguments, params (string Name, string? Value)[] environment)
    {
        var (file, all) = CommandOf(arguments);
        var start = TestProcess.StartInfo(file, all);
        RemoveClouds(start.Environment);
        foreach (var (name, value) in environment)
            start.Environment[name] = value;
        return start;
    }

    /// <summary>Starts the program.</summary>
    public static TestProcess Start(IEnumerable<string> arguments, params (string Name, string? Value)[] environment) =>
        TestProcess.Start(StartInfo(arguments, environment));

    /// <summary>Runs the program until it exits.</summary>
    public static Task<(int ExitCode, string Output, string Error)> RunAsync(
        IEnumerable<string> arguments,
        params (string Name, string? Value)[] environment
    ) => TestProcess.RunAsync(StartInfo(arguments, environment));

    /// <summary>Runs the program until it exits, with a text on its standard input.</summary>
    public static Task<(int ExitCode, string Output, string Error)> RunWithInputAsync(
        string? input,
        IEnumerable<string> arguments,
        params (string Name, string? Value)[] environment
    ) => TestProcess.RunAsync(StartInfo(arguments, environment), input);

    /// <summary>The command that runs the program.</summary>
    public static (string File, IEnumerable<string> Arguments) CommandOf(IEnumerable<string> arguments) =>
        Published is not null
            ? (Published, arguments)
            : ("dotnet", ["exec", Path.Combine(AppContext.BaseDirectory, "proxyswapper.dll"), .. arguments]);

    /// <summary>Removes the variables that the libraries of Amazon, Azure and Google read.</summary>
    public static void RemoveClouds(IDictionary<string, string?> environment)
    {
        foreach (var name in environment.Keys.Where(IsOfCloud).ToList())
            environment.Remove(name);
    }

    private static bool IsOfCloud(string name) => CloudPrefixes.Any(prefix => name.StartsWith(prefix, StringComparison.Ordinal));
}
