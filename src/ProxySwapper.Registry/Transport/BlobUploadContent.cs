using System.Buffers;
using System.Net;
using ProxySwapper.Registry.Timing;

namespace ProxySwapper.Registry.Transport;

/// <summary>The next bytes of a stream as a request's body, sent once and never held in memory.</summary>
internal sealed class BlobUploadContent : HttpContent
{
    private const int BufferSize = 128 * 1024;

    /// <summary>How fast a registry at least is expected to store what it got, before it answers.</summary>
    private const long StoredPerSecond = 8 * 1024 * 1024;

    private readonly Stream _source;
    private readonly Action<int>? _progress;
    private readonly RegistryOptions _options;
    private readonly TimeProvider _time;

    public BlobUploadContent(Stream source, long length, Action<int>? progress, RegistryOptions options, TimeProvider time)
    {
        (_source, Length, _progress, _options, _time) = (source, length, progress, options, time);
        Headers.TryAddWithoutValidation("Content-Type", "application/octet-stream");
        Headers.ContentLength = length;
    }

    public long Length { get; }

    /// <summary>Why the source gave no more; then it is not the registry's fault that the request failed.</summary>
    public Exception? SourceFault { get; private set; }

    /// <summary>The limit of the request that this is the body of; set before it is sent.</summary>
    public OperationTimeout? Deadline { get; set; }

    /// <summary>The body is on its way.</summary>
    public bool IsSending { get; private set; }

    protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) =>
        SerializeToStreamAsync(stream, context, CancellationToken.None);

    protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context, CancellationToken cancellationToken)
    {
        var deadline = Deadline ?? throw new InvalidOperationException("A blob is sent without a limit.");
        deadline.Suspend();
        IsSending = true;
        using var patience = new StallTimeout(_options.StallTimeout, _time);
        var buffer = ArrayPool<byte>.Shared.Rent(BufferSize);
        try
        {
            for (var left = Length; left > 0; )
            {
                var read = await ReadAsync(buffer.AsMemory(0, (int)Math.Min(buffer.Length, left)), cancellationToken);
                await patience.WriteAsync(stream, buffer.AsMemory(0, read), deadline, cancellationToken);
                left -= read;
                _progress?.Invoke(read);
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
        IsSending = false;
        deadline.Restart(_options.ResponseTimeout + TimeSpan.FromSeconds(Length / StoredPerSecond));
    }

    protected override bool TryComputeLength(out long length)
    {
        length = Length;
        return true;
    }

    private async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken)
    {
        try
        {
            var read = await _source.ReadAsync(buffer, cancellationToken);
            return read > 0 ? read : throw new EndOfStreamException("The content to upload is shorter than was said.");
        }
        catch (Exception fault) when (!cancellationToken.IsCancellationRequested)
        {
            SourceFault = fault;
            throw;
        }
    }
}
