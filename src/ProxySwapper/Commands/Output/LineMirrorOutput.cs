using ProxySwapper.Mirroring;
using ProxySwapper.Registry.Copying;

namespace ProxySwapper.Commands.Output;

/// <summary>One line for each finished tag, for the logs of a CronJob.</summary>
internal sealed class LineMirrorOutput(TextWriter writer, bool isDryRun) : IMirrorOutput
{
    private static readonly IProgress<CopyProgress> NoProgress = new Progress<CopyProgress>();
    private readonly Lock _gate = new();

    public IProgress<CopyProgress> Started(MirrorTask task) => NoProgress;

    public void Finished(MirrorResult result) => Note(MirrorLine.Of(result, isDryRun));

    public void Note(string message)
    {
        lock (_gate)
            writer.WriteLine(message);
    }
}
