using System.IO.Pipelines;
using ProxySwapper.Registry.Timing;

namespace ProxySwapper.Kubernetes;

/// <summary>The body of a streamed response. Each read must make progress within a timeout.</summary>
internal sealed class StreamedResponse : IDisposable
{
    private const int BufferSize = 64 * 1024;

    private readonly ApiRequest _request;
    private readonly HttpResponseMessage _response;
    private readonly TimeSpan _limit;
    private readonly string _stall;
    private readonly OperationTimeout _timeout;
    private readonly PipeReader _reader;

    private StreamedResponse(
        ApiRequest request,
        HttpResponseMessage response,
        Stream body,
        TimeSpan limit,
        TimeProvider time,
        CancellationToken caller
    )
    {
        (_request, _response, _limit, _stall) = (request, response, limit, $"no data for {limit.TotalSeconds:0} s");
        _timeout = new OperationTimeout(Timeout.InfiniteTimeSpan, time, caller);
        _reader = PipeReader.Create(body, new StreamPipeReaderOptions(bufferSize: BufferSize));
    }

    /// <summary>Sends a GET and waits for the headers of its response.</summary>
    /// <param name="sender">The sender.</param>
    /// <param name="path">Path and query string.</param>
    /// <param name="limit">How long one read may take.</param>
    /// <param name="time">The clock.</param>
    /// <param name="cancellationToken">Cancels this call and every read.</param>
    /// <exception cref="KubernetesException">The server refused it or did not answer.</exception>
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
        _timeout.Restart(_limit, _stall);
        try
        {
            return await _reader.ReadAsync(_timeout.Token);
        }
        catch (Exception problem) when (problem is IOException or HttpRequestException)
        {
            throw Error($"the response ended early: {problem.InnerException?.Message ?? problem.Message}", problem);
        }
        catch (OperationCanceledException problem) when (_timeout.HasPassed)
        {
            throw Error(_timeout.Reason, problem);
        }
        finally
        {
            _timeout.Restart(Timeout.InfiniteTimeSpan, _stall);
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
        _timeout.Dispose();
    }
}
