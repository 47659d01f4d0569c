using ProxySwapper.Registry.Copying;

namespace ProxySwapper.Commands.Output;

/// <summary>The progress of a copy in a log: a line for each finished blob, and every ten seconds a line with the total.</summary>
internal sealed class CopyLines : IProgress<CopyProgress>, IDisposable
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(10);

    private readonly TextWriter _writer;
    private readonly TransferTotal _total;
    private readonly ITimer _timer;
    private readonly Lock _gate = new();

    public CopyLines(TextWriter writer, TimeProvider time)
    {
        (_writer, _total) = (writer, new TransferTotal(time));
        _timer = time.CreateTimer(_ => WriteTotal(), null, Interval, Interval);
    }

    public void Report(CopyProgress value)
    {
        _total.Add(value);
        if (value.Step is CopyStep.Copied or CopyStep.Mounted or CopyStep.Present)
            Write($"{value.Step.ToString().ToLowerInvariant(), -8} {CopyOutput.NameOf(value)} {ByteSize.Format(value.Blob.Size)}");
    }

    public void Dispose() => _timer.Dispose();

    private void WriteTotal()
    {
        if (_total.Describe() is { } text)
            Write($"total    {text}");
    }

    private void Write(string line)
    {
        lock (_gate)
            _writer.WriteLine(line);
    }
}
