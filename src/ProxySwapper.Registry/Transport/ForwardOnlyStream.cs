namespace ProxySwapper.Registry.Transport;

/// <summary>
/// A stream of a connection: read, and perhaps written, once, asynchronously and forward. It has no length and no position unless a derived
/// class knows them.
/// </summary>
public abstract class ForwardOnlyStream : Stream
{
    /// <summary>True.</summary>
    public override bool CanRead => true;

    /// <summary>False, unless a derived class writes.</summary>
    public override bool CanWrite => false;

    /// <summary>False.</summary>
    public override bool CanSeek => false;

    /// <exception cref="NotSupportedException">The length is not known.</exception>
    public override long Length => throw new NotSupportedException();

    /// <exception cref="NotSupportedException">The position is not known, or is set.</exception>
    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    /// <inheritdoc />
    public abstract override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default);

    /// <inheritdoc />
    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    /// <inheritdoc />
    public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default) =>
        throw new NotSupportedException();

    /// <inheritdoc />
    public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        WriteAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    /// <inheritdoc />
    public override void Flush() { }

    /// <exception cref="NotSupportedException">It is read asynchronously.</exception>
    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    /// <exception cref="NotSupportedException">It is written asynchronously, if at all.</exception>
    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    /// <exception cref="NotSupportedException">It only goes forward.</exception>
    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    /// <exception cref="NotSupportedException">It only goes forward.</exception>
    public override void SetLength(long value) => throw new NotSupportedException();
}
