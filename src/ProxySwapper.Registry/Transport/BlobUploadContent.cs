using System.Buffers;
using System.Net;
using System.Runtime.ExceptionServices;
using ProxySwapper.Registry.Timing;

namespace ProxySwapper.Registry.Transport;

/// <summary>The next bytes of a stream as a request body, sent once and never buffered.</summary>
internal sealed class BlobUploadContent : HttpContent
{
    private const int BufferSize = 128 * 1024;

    /// <summary>The minimum speed at which a registry is expected to store content before it responds.</summary>
    private const long StoredPerSecond = 8 * 1024 * 1024;

    private readonly Stream _source;
    private readonly long _length;
    private readonly Action<int>? _progress;
    private readonly OperationTimeout _timeout;
    private readonly RegistryOptions _options;
    private readonly TimeProvider _time;

    /// <param name="source">The stream; its failures are thrown as a <see cref="BlobSourceException"/>.</param>
    /// <param name="length">The number of bytes.</param>
    /// <param name="progress">Receives the number of bytes sent each time, or null.</param>
    /// <param name="timeout">The request's timeout, which limits stalls while the body is sent.</param>
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
            return read > 0 ? read : throw new EndOfStreamException("The content to upload is shorter than declared by its descriptor.");
        }
        catch (Exception fault) when (!cancellationToken.IsCancellationRequested)
        {
            throw new BlobSourceException(fault);
        }
    }
}

/// <summary>The content to upload could not be read, which is not the target registry's failure. Never leaves the library.</summary>
internal sealed class BlobSourceException(Exception fault) : Exception(fault.Message, fault)
{
    /// <summary>The source's failure behind a failed request, or null.</summary>
    public static BlobSourceException? Of(Exception fault) =>
        fault as BlobSourceException ?? (fault.InnerException is { } inner ? Of(inner) : null);

    /// <summary>Rethrows the source's exception.</summary>
    public void Rethrow() => ExceptionDispatchInfo.Throw(InnerException!);
}
