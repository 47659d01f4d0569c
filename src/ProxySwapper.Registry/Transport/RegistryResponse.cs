using System.Buffers;
using System.Net;
using System.Net.Http.Headers;
using ProxySwapper.Registry.Timing;

namespace ProxySwapper.Registry.Transport;

/// <summary>A response whose body has not been read yet. Its owner disposes it.</summary>
internal sealed class RegistryResponse(HttpResponseMessage response, Uri address, RegistryOptions options, TimeProvider time) : IDisposable
{
    private const int BufferSize = 16 * 1024;

    public HttpStatusCode Status => response.StatusCode;

    public HttpResponseHeaders Headers => response.Headers;

    public HttpContentHeaders ContentHeaders => response.Content.Headers;

    public HttpContent Content => response.Content;

    /// <summary>The URL that responded, after redirects.</summary>
    public Uri Address => address;

    /// <summary>The header <c>Location</c>, made absolute; null if missing or not a URL.</summary>
    public Uri? Location => Header("Location") is { } location && Uri.TryCreate(address, location, out var target) ? target : null;

    /// <summary>True if no other host was involved, so that a rejection concerns our credential.</summary>
    public bool IsOwn { get; set; }

    /// <summary>The origin that the request was redirected to, for errors; null if it was not.</summary>
    public string? RedirectedTo { get; init; }

    /// <summary>Disposed with the response: the lease of the host's limiter.</summary>
    public IDisposable? Lease { get; set; }

    /// <summary>A header of the response or of its content, unchanged; null if it is missing.</summary>
    public string? Header(string name) =>
        response.Headers.NonValidated.TryGetValues(name, out var values)
        || response.Content.Headers.NonValidated.TryGetValues(name, out values)
            ? values.ToString()
            : null;

    /// <summary>Reads the whole body, up to this many bytes.</summary>
    /// <exception cref="InvalidDataException">It is larger.</exception>
    /// <exception cref="IOException">The connection broke, stalled or was too slow.</exception>
    public async Task<ReadOnlyMemory<byte>> ReadBodyAsync(int limit, CancellationToken cancellationToken)
    {
        if (ContentHeaders.ContentLength > limit)
            throw TooLarge(limit);
        await using var body = await Content.ReadAsStreamAsync(cancellationToken);
        using var stall = new StallTimeout(options.StallTimeout, options.MinThroughput, time);
        var content = new ArrayBufferWriter<byte>(ContentHeaders.ContentLength is > 0 and { } length ? (int)length : BufferSize);
        while (await stall.ReadAsync(body, content.GetMemory(), cancellationToken) is > 0 and var read)
        {
            content.Advance(read);
            if (content.WrittenCount > limit)
                throw TooLarge(limit);
        }
        return content.WrittenMemory;
    }

    public void Dispose()
    {
        response.Dispose();
        Lease?.Dispose();
    }

    private static InvalidDataException TooLarge(int limit) => new($"larger than the limit of {limit} bytes");
}
