using ProxySwapper.Testing.Processes;

namespace ProxySwapper.Benchmarks;

/// <summary>The program as it is published, in a folder that goes away with it.</summary>
internal sealed class PublishedProgram : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("proxyswapper-published-");

    public string File => Path.Combine(_folder.FullName, "proxyswapper");

    public static async Task<PublishedProgram> CreateAsync()
    {
        var program = new PublishedProgram();
        var (exitCode, text, error) = await TestProcess.RunAsync(
            "dotnet",
            ["publish", SourceTree.PathOf("src", "ProxySwapper"), "-c", "Release", "-o", program._folder.FullName]
        );
        return exitCode == 0 ? program : throw new InvalidOperationException(text + error);
    }

    public void Dispose() => _folder.Delete(recursive: true);
}
