namespace ProxySwapper.Testing.Processes;

/// <summary>The source tree that the tests were built from.</summary>
internal static class SourceTree
{
    /// <summary>The folder of the solution.</summary>
    public static string Root { get; } = Find();

    /// <summary>True if golden files are written instead of compared: <c>UPDATE_GOLDEN=1 test/run</c>.</summary>
    public static bool UpdatesGolden { get; } = Environment.GetEnvironmentVariable("UPDATE_GOLDEN") is { Length: > 0 };

    public static string PathOf(params string[] parts) => Path.Combine([Root, .. parts]);

    private static string Find()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
            if (File.Exists(Path.Combine(folder.FullName, "ProxySwapper.sln")))
                return folder.FullName;
        throw new InvalidOperationException($"{AppContext.BaseDirectory} is not below a folder with ProxySwapper.sln.");
    }
}
