using ProxySwapper.Testing.Processes;
using ProxySwapper.Testing.Time;

namespace ProxySwapper.IntegrationTests.Population;

/// <summary>
/// A file system in memory that is small enough to be filled. A process mounts it in namespaces of its own, which needs neither root nor
/// sudo, and others reach it below <c>/proc</c>. It ends with the process, and that with the test's, which closes its standard input.
/// </summary>
internal sealed class SmallDisk : IDisposable
{
    private readonly TestProcess _holder;

    private SmallDisk(TestProcess holder) => _holder = holder;

    public string Folder => $"/proc/{_holder.Id}/root/tmp";

    public static async Task<SmallDisk> MountAsync(int megabytes)
    {
        var holder = TestProcess.Start(
            "sh",
            OwnNamespace.Arguments("--mount", "sh", "-c", $"mount -t tmpfs -o size={megabytes}m tmpfs /tmp && echo mounted && exec cat")
        );
        await TestWait.UntilAsync(
            () => holder.HasExited || holder.Output.Contains("mounted", StringComparison.Ordinal),
            "mounting a small disk"
        );
        if (!holder.HasExited)
            return new SmallDisk(holder);
        using (holder)
            throw new InvalidOperationException(
                $"A disk could not be mounted in a namespace of its own, which a container only allows with --privileged: {holder.Output}"
            );
    }

    public void Dispose() => _holder.Dispose();
}
