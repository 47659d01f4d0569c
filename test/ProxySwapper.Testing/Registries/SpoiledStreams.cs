namespace ProxySwapper.Testing.Registries;

/// <summary>A base class for streams that pass everything on to another stream.</summary>
internal abstract class SpoiledStream(Stream inner) : Stream
{
    protected Stream Inner => inner;

    public override bool CanRead => false;

    public override bool CanSeek => false;

    public override bool CanWrite => true;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    public override void Flush() => throw new NotSupportedException();

    public override Task FlushAsync(CancellationToken cancellationToken) => inner.FlushAsync(cancellationToken);

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        WriteAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public abstract override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default);
}

internal sealed class CutStream(Stream inner, long after) : SpoiledStream(inner)
{
    private long _left = after;

    public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        var passed = buffer[..(int)Math.Min(buffer.Length, _left)];
        await Inner.WriteAsync(passed, cancellationToken);
        await Inner.FlushAsync(cancellationToken);
        _left -= passed.Length;
        if (passed.Length < buffer.Length)
            throw new IOException("cut");
    }
}

internal sealed class FlippedStream(Stream inner, long at) : SpoiledStream(inner)
{
    private long _position;

    public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        var spoiled = buffer.ToArray();
        if (at >= _position && at < _position + spoiled.Length)
            spoiled[at - _position] ^= 1;
        _position += spoiled.Length;
        return Inner.WriteAsync(spoiled, cancellationToken);
    }
}

internal sealed class DripStream(Stream inner, int size, Func<Task> next) : SpoiledStream(inner)
{
    public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        for (var at = 0; at < buffer.Length; at += size)
        {
            await Inner.WriteAsync(buffer.Slice(at, Math.Min(size, buffer.Length - at)), cancellationToken);
            await Inner.FlushAsync(cancellationToken);
            await next();
        }
    }
}
