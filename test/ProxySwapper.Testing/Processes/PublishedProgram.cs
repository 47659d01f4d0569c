namespace ProxySwapper.Testing.Processes;

/// <summary>
/// The published program: the one that <see cref="ProxySwapperProgram.Variable"/> names, otherwise one that is published on first use,
/// which takes minutes, and deleted when this process exits.
/// </summary>
internal static class PublishedProgram
{
    private static readonly Lazy<Task<string>> File = new(FindAsync);

    /// <summary>The path of the program.</summary>
    /// <exception cref="InvalidOperationException">It could not be published.</exception>
    public static Task<string> GetAsync() => File.Value;

    private static async Task<string> FindAsync()
    {
        if (Environment.GetEnvironmentVariable(ProxySwapperProgram.Variable) is { Length: > 0 } path)
            return path;
        var folder = Directory.CreateTempSubdirectory("proxyswapper-published-");
        AppDomain.CurrentDomain.ProcessExit += (_, _) => folder.Delete(recursive: true);
        var (exitCode, output, error) = await TestProcess.RunAsync(
            "dotnet",
            ["publish", SourceTree.PathOf("src", "ProxySwapper"), "-c", "Release", "-o", folder.FullName]
        );
        return exitCode == 0 ? Path.Combine(folder.FullName, "proxyswapper") : throw new InvalidOperationException(output + error);
    }
}
