using System.Buffers;
using System.Net;
using System.Net.Http.Headers;
using ProxySwapper.Registry.Timing;

namespace ProxySwapper.Registry.Transport;

/// <summary>A response with its headers read and its body not yet. Whoever has it disposes it.</summary>
internal sealed class RegistryResponse(HttpResponseMessage response, Uri address, RegistryOptions options, TimeProvider time) : IDisposable
{
    private const int BufferSize = 16 * 1024;

    public HttpStatusCode Status => response.StatusCode;

    public HttpResponseHeaders Headers => response.Headers;

    public HttpContentHeaders ContentHeaders => response.Content.Headers;

    public HttpContent Content => response.Content;

    /// <summary>Who responded in the end, after redirects.</summary>
    public Uri Address => address;

    /// <summary>The header <c>Location</c>, made absolute; null when there is none that is an address.</summary>
    public Uri? Location => Header("Location") is { } location && Uri.TryCreate(address, location, out var target) ? target : null;

    /// <summary>No other host had a part in it: a refusal is about our credential.</summary>
    public bool IsOwn { get; set; }

    /// <summary>What the request sent as secrets: not to be shown, should the response repeat them.</summary>
    public IReadOnlyList<string> Secrets { get; init; } = [];

    /// <summary>Disposed with the response: gives back the lease of the host's limiter.</summary>
    public IDisposable? Lease { get; set; }

    /// <summary>A header of the response or of its content, as it came; null when it is missing.</summary>
    public string? Header(string name) =>
        response.Headers.NonValidated.TryGetValues(name, out var values)
        || response.Content.Headers.NonValidated.TryGetValues(name, out values)
            ? values.ToString()
            : null;

    /// <summary>The whole body, which may have this many bytes.</summary>
    /// <exception cref="InvalidDataException">It is larger.</exception>
    /// <exception cref="IOException">The connection broke, stood still or was too slow.</exception>
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

    private static InvalidDataException TooLarge(int limit) => new($"larger than the {limit} bytes that are read at the most");
}
