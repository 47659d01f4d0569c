using ProxySwapper.Testing.Processes;

namespace ProxySwapper.IntegrationTests.Population;

/// <summary>A file system in memory that is small enough to be filled. Mounting it needs root.</summary>
internal sealed class SmallDisk : IAsyncDisposable
{
    private SmallDisk(string folder) => Folder = folder;

    public string Folder { get; }

    public static async Task<SmallDisk> MountAsync(int megabytes)
    {
        var folder = Directory.CreateTempSubdirectory("small-disk-").FullName;
        var (exitCode, output, error) = await TestProcess.RunAsync("mount", ["-t", "tmpfs", "-o", $"size={megabytes}m", "tmpfs", folder]);
        return exitCode == 0
            ? new SmallDisk(folder)
            : throw new InvalidOperationException($"This test mounts a small tmpfs, which takes root: {error}{output}");
    }

    public async ValueTask DisposeAsync()
    {
        await TestProcess.RunAsync("umount", ["-l", Folder]);
        Directory.Delete(Folder);
    }
}
