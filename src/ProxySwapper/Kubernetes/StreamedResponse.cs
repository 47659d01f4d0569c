using System.IO.Pipelines;
using ProxySwapper.Registry.Timing;
using ProxySwapper.Registry.Transport;

namespace ProxySwapper.Kubernetes;

/// <summary>The body of a streamed response. Each read must make progress within a timeout.</summary>
internal sealed class StreamedResponse : IDisposable
{
    private const int BufferSize = 64 * 1024;

    private readonly ApiRequest _request;
    private readonly HttpResponseMessage _response;
    private readonly StallTimeout _stall;
    private readonly PipeReader _reader;
    private readonly CancellationToken _caller;

    private StreamedResponse(
        ApiRequest request,
        HttpResponseMessage response,
        Stream body,
        TimeSpan limit,
        TimeProvider time,
        CancellationToken caller
    )
    {
        (_request, _response, _caller) = (request, response, caller);
        _stall = new StallTimeout(limit, 0, time, enough: 1);
        _reader = PipeReader.Create(new LimitedStream(body, _stall), new StreamPipeReaderOptions(bufferSize: BufferSize));
    }

    /// <summary>Sends a GET and waits for the headers of its response.</summary>
    /// <param name="sender">The sender.</param>
    /// <param name="path">Path and query string.</param>
    /// <param name="limit">How long one read may take.</param>
    /// <param name="time">The clock.</param>
    /// <param name="cancellationToken">Cancels this call and every read.</param>
    /// <exception cref="KubernetesException">The server returned an error or did not respond.</exception>
    public static async Task<StreamedResponse> OpenAsync(
        ApiRequestSender sender,
        string path,
        TimeSpan limit,
        TimeProvider time,
        CancellationToken cancellationToken
    )
    {
        var request = new ApiRequest(HttpMethod.Get, path);
        var response = await sender.OpenAsync(request, cancellationToken);
        var body = await response.Content.ReadAsStreamAsync(cancellationToken);
        return new StreamedResponse(request, response, body, limit, time, cancellationToken);
    }

    /// <summary>The data received but not yet consumed; more than at the last call, unless the body has ended.</summary>
    /// <exception cref="KubernetesException">The body ended early or stalled.</exception>
    public async ValueTask<ReadResult> ReadAsync()
    {
        try
        {
            return await _reader.ReadAsync(_caller);
        }
        catch (StalledStreamException problem)
        {
            throw Error(problem.Message, problem);
        }
        catch (Exception problem) when (problem is IOException or HttpRequestException)
        {
            throw Error($"the response ended early: {problem.InnerException?.Message ?? problem.Message}", problem);
        }
    }

    /// <summary>Consumes data, and marks how much was examined.</summary>
    public void AdvanceTo(SequencePosition consumed, SequencePosition examined) => _reader.AdvanceTo(consumed, examined);

    /// <summary>Creates an error that names this request.</summary>
    public KubernetesException Error(string text, Exception? innerException = null) =>
        new(_request, _response.StatusCode, null, text, innerException);

    public void Dispose()
    {
        _response.Dispose();
        _reader.Complete();
        _stall.Dispose();
    }

    /// <summary>A body whose reads have a stall timeout.</summary>
    private sealed class LimitedStream(Stream body, StallTimeout stall) : ForwardOnlyStream
    {
        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
            stall.ReadAsync(body, buffer, cancellationToken);

        protected override void Dispose(bool disposing)
        {
            if (disposing)
                body.Dispose();
            base.Dispose(disposing);
        }
    }
}
