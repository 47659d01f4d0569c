using System.Buffers;
using System.Net;
using ProxySwapper.Registry.Timing;

namespace ProxySwapper.Registry.Transport;

/// <summary>The next bytes of a stream as a request's body, sent once and never held in memory.</summary>
internal sealed class BlobUploadContent : HttpContent
{
    private const int BufferSize = 128 * 1024;

    /// <summary>How fast a registry at least is expected to store what it got, before it responds.</summary>
    private const long StoredPerSecond = 8 * 1024 * 1024;

    private readonly Stream _source;
    private readonly long _length;
    private readonly Action<int>? _progress;
    private readonly OperationTimeout _timeout;
    private readonly RegistryOptions _options;
    private readonly TimeProvider _time;

    /// <param name="source">What is read; a fault of it is thrown as a <see cref="BlobSourceException"/>.</param>
    /// <param name="length">How many bytes of it.</param>
    /// <param name="progress">Told how many bytes were sent, each time; or null.</param>
    /// <param name="timeout">That of the request: while the body is sent, it is one for stalls.</param>
    /// <param name="options">How long stalls and responses may take.</param>
    /// <param name="time">The clock.</param>
    public BlobUploadContent(
        Stream source,
        long length,
        Action<int>? progress,
        OperationTimeout timeout,
        RegistryOptions options,
        TimeProvider time
    )
    {
        (_source, _length, _progress, _timeout, _options, _time) = (source, length, progress, timeout, options, time);
        Headers.TryAddWithoutValidation("Content-Type", "application/octet-stream");
        Headers.ContentLength = length;
    }

    protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) =>
        SerializeToStreamAsync(stream, context, CancellationToken.None);

    protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context, CancellationToken cancellationToken)
    {
        using var stall = new StallTimeout(_options.StallTimeout, _options.MinThroughput, _time);
        stall.Suspend(_timeout);
        var buffer = ArrayPool<byte>.Shared.Rent(BufferSize);
        try
        {
            for (var left = _length; left > 0; )
            {
                var read = await ReadAsync(buffer.AsMemory(0, (int)Math.Min(buffer.Length, left)), cancellationToken);
                await stall.WriteAsync(stream, buffer.AsMemory(0, read), _timeout, cancellationToken);
                left -= read;
                _progress?.Invoke(read);
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
        StallTimeout.AwaitResponse(_timeout, _options.ResponseTimeout + TimeSpan.FromSeconds(_length / StoredPerSecond));
    }

    protected override bool TryComputeLength(out long length)
    {
        length = _length;
        return true;
    }

    private async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken)
    {
        try
        {
            var read = await _source.ReadAsync(buffer, cancellationToken);
            return read > 0 ? read : throw new EndOfStreamException("The content to upload is shorter than its descriptor says.");
        }
        catch (Exception fault) when (!cancellationToken.IsCancellationRequested)
        {
            throw new BlobSourceException(fault);
        }
    }
}
