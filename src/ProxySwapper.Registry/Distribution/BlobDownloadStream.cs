using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using ProxySwapper.Registry.Oci;
using ProxySwapper.Registry.Timing;
using ProxySwapper.Registry.Transport;

namespace ProxySwapper.Registry.Distribution;

/// <summary>
/// A blob download that resumes after broken connections and hashes the content. The last bytes are only returned once length and digest
/// match, so that no consumer ever gets a complete but wrong blob.
/// </summary>
internal sealed class BlobDownloadStream : ForwardOnlyStream
{
    /// <summary>A connection that transferred this much counts as a success and resets the retries.</summary>
    private const long ProgressThatResetsRetries = 1024 * 1024;

    private readonly RegistryTransport _transport;
    private readonly RegistryRequest _request;
    private readonly Descriptor _blob;
    private readonly AdaptiveConcurrencyLimiter.Lease _lease;
    private readonly IncrementalHash _hash;
    private readonly RetrySchedule _schedule;
    private readonly StallTimeout _stall;
    private RegistryResponse? _response;
    private Stream? _body;
    private long _position;
    private long _resumedAt;
    private bool _isVerified;
    private RegistryException? _fault;

    private BlobDownloadStream(
        RegistryTransport transport,
        RegistryRequest request,
        Descriptor blob,
        AdaptiveConcurrencyLimiter.Lease lease
    )
    {
        (_transport, _request, _blob, _lease) = (transport, request, blob, lease);
        (_hash, _schedule, _stall) = (
            blob.Digest.CreateHash(),
            new RetrySchedule(transport.Options),
            new StallTimeout(transport.Options.StallTimeout, transport.Options.MinThroughput, transport.Time)
        );
    }

    public override long Length => _blob.Size;

    public override long Position
    {
        get => _position;
        set => throw new NotSupportedException();
    }

    /// <summary>Opens a blob; immediate errors are thrown here. One lease of the host is held until the stream is disposed.</summary>
    public static async Task<Stream> OpenAsync(
        RegistryTransport transport,
        RegistryRequest request,
        Descriptor blob,
        CancellationToken cancellationToken
    )
    {
        var lease = await transport.Host.ReadLimiter.EnterAsync(isStream: true, cancellationToken);
        var stream = new BlobDownloadStream(
            transport,
            request with
            {
                IsStream = true,
                Expected = [HttpStatusCode.OK, HttpStatusCode.PartialContent],
            },
            blob,
            lease
        );
        try
        {
            await stream.ConnectAsync(cancellationToken);
            return stream;
        }
        catch (Exception)
        {
            await stream.DisposeAsync();
            throw;
        }
    }

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        if (_fault is not null)
            throw _fault;
        if (buffer.IsEmpty || _isVerified)
            return 0;
        while (true)
        {
            try
            {
                if (_body is null)
                    await ConnectAsync(cancellationToken);
                return await ReadOnceAsync(buffer, cancellationToken);
            }
            catch (RegistryException fault) when (fault.IsTransient)
            {
                await DisconnectAsync();
                if (_position - _resumedAt >= ProgressThatResetsRetries)
                    _schedule.Reset();
                _resumedAt = _position;
                if (!await _transport.PauseAsync(_schedule, fault, cancellationToken))
                    throw _fault = fault;
            }
            catch (RegistryException fault)
            {
                throw _fault = fault;
            }
        }
    }

    public override async ValueTask DisposeAsync()
    {
        await DisconnectAsync();
        await base.DisposeAsync();
    }

    protected override void Dispose(bool disposing)
    {
        _response?.Dispose();
        _response = null;
        _hash.Dispose();
        _stall.Dispose();
        _lease.Dispose();
        base.Dispose(disposing);
    }

    private async ValueTask<int> ReadOnceAsync(Memory<byte> buffer, CancellationToken cancellationToken)
    {
        if (_position == _blob.Size)
        {
            await EndAsync();
            return 0;
        }
        var wanted = (int)Math.Min(buffer.Length, _blob.Size - _position);
        var read = await FromBodyAsync(buffer[..wanted], cancellationToken);
        if (read == 0)
            throw Fault($"it ended after {_position} of {_blob.Size} bytes", transient: true);
        _hash.AppendData(buffer.Span[..read]);
        _position += read;
        RegistryMetrics.Read(_request.Registry, read);
        if (_position == _blob.Size)
            await EndAsync();
        return read;
    }

    private async ValueTask EndAsync()
    {
        // Enough bytes with the right digest are the blob. Without a Content-Length, waiting for the end could only lose them again.
        var digest = Digest.OfHash(_blob.Digest.HashName, _hash.GetHashAndReset());
        if (digest != _blob.Digest)
            throw Fault($"its content has the digest {digest}", transient: false);
        _isVerified = true;
        await DisconnectAsync();
        _lease.Dispose();
    }

    private async ValueTask<int> FromBodyAsync(Memory<byte> buffer, CancellationToken cancellationToken)
    {
        try
        {
            return await _stall.ReadAsync(_body!, buffer, cancellationToken);
        }
        catch (SlowStreamException fault)
        {
            throw Fault(fault.Message, transient: false, fault);
        }
        catch (Exception fault) when (fault is IOException or HttpRequestException && !cancellationToken.IsCancellationRequested)
        {
            throw Fault(
                $"the connection broke after {_position} of {_blob.Size} bytes: {fault.GetBaseException().Message}",
                transient: true,
                fault
            );
        }
    }

    /// <summary>Requests the rest. If a registry sends everything again, the known part is skipped.</summary>
    private async Task ConnectAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            try
            {
                _response = await _transport.SendOnceAsync(
                    _request with
                    {
                        From = _position > 0 ? _position : null,
                    },
                    _lease,
                    cancellationToken
                );
                _body = await _response.Content.ReadAsStreamAsync(cancellationToken);
                await SkipAsync(_response.Status == HttpStatusCode.PartialContent ? StartOf(_response) : 0, cancellationToken);
                return;
            }
            catch (RegistryException fault) when (fault.IsTransient)
            {
                await DisconnectAsync();
                if (!await _transport.PauseAsync(_schedule, fault, cancellationToken))
                    throw;
            }
        }
    }

    private long StartOf(RegistryResponse response)
    {
        var range = ContentRangeHeaderValue.TryParse(response.Header("Content-Range"), out var parsed) ? parsed : null;
        if (range is not { Unit: "bytes", From: { } from })
            throw Fault("the registry sent a partial response without Content-Range", transient: false);
        if (from > _position || range.Length is { } all && all != _blob.Size)
            throw Fault(
                string.Create(CultureInfo.InvariantCulture, $"requested from byte {_position} of {_blob.Size}, received {range}"),
                transient: false
            );
        return from;
    }

    private async Task SkipAsync(long start, CancellationToken cancellationToken)
    {
        if (_response!.ContentHeaders.ContentLength is { } length && start + length != _blob.Size)
            throw Fault($"expected {_blob.Size} bytes, the registry has {start + length}", transient: false);
        var left = _position - start;
        if (left == 0)
            return;
        var skipped = System.Buffers.ArrayPool<byte>.Shared.Rent((int)Math.Min(left, 128 * 1024));
        try
        {
            while (left > 0)
            {
                var read = await FromBodyAsync(skipped.AsMemory(0, (int)Math.Min(skipped.Length, left)), cancellationToken);
                if (read == 0)
                    throw Fault($"it ended before byte {_position}", transient: true);
                left -= read;
            }
        }
        finally
        {
            System.Buffers.ArrayPool<byte>.Shared.Return(skipped);
        }
    }

    private async ValueTask DisconnectAsync()
    {
        if (_body is not null)
            await _body.DisposeAsync();
        _body = null;
        _response?.Dispose();
        _response = null;
    }

    private RegistryException Fault(string detail, bool transient, Exception? cause = null) =>
        _request.Fault(_response?.Status, detail, cause, transient: transient);
}
