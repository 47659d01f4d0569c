using System.IO.Pipelines;

namespace ProxySwapper.Kubernetes;

/// <summary>The body of a response that is read as it comes. Each read must bring something within a time.</summary>
internal sealed class StreamedResponse : IDisposable
{
    private const int BufferSize = 64 * 1024;

    private readonly ApiRequest _request;
    private readonly HttpResponseMessage _response;
    private readonly TimeSpan _limit;
    private readonly CancellationToken _caller;
    private readonly CancellationTokenSource _timer;
    private readonly CancellationTokenSource _either;
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
        (_request, _response, _limit, _caller) = (request, response, limit, caller);
        _timer = new CancellationTokenSource(Timeout.InfiniteTimeSpan, time);
        _either = CancellationTokenSource.CreateLinkedTokenSource(_timer.Token, caller);
        _reader = PipeReader.Create(body, new StreamPipeReaderOptions(bufferSize: BufferSize));
    }

    /// <summary>Sends a GET and waits for the headers of its response.</summary>
    /// <param name="sender">Sends it.</param>
    /// <param name="path">Path and query string.</param>
    /// <param name="limit">How long one read may take.</param>
    /// <param name="time">The clock.</param>
    /// <param name="cancellationToken">Ends this call and every read.</param>
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

    /// <summary>What has come and was not yet passed over, and more of it than at the last call unless the body has ended.</summary>
    /// <exception cref="KubernetesException">The body broke off or stood still.</exception>
    public async ValueTask<ReadResult> ReadAsync()
    {
        _timer.CancelAfter(_limit);
        try
        {
            return await _reader.ReadAsync(_either.Token);
        }
        catch (Exception problem) when (problem is IOException or HttpRequestException)
        {
            throw Error($"the response broke off: {problem.InnerException?.Message ?? problem.Message}", problem);
        }
        catch (OperationCanceledException problem) when (!_caller.IsCancellationRequested)
        {
            throw Error($"nothing came within {_limit.TotalSeconds:0} s", problem);
        }
        finally
        {
            _timer.CancelAfter(Timeout.InfiniteTimeSpan);
        }
    }

    /// <summary>Passes over what was used, and says how much was looked at.</summary>
    public void AdvanceTo(SequencePosition consumed, SequencePosition examined) => _reader.AdvanceTo(consumed, examined);

    /// <summary>An error that names this request.</summary>
    public KubernetesException Error(string text, Exception? innerException = null) =>
        new(_request, _response.StatusCode, null, text, innerException);

    public void Dispose()
    {
        _response.Dispose();
        _reader.Complete();
        _either.Dispose();
        _timer.Dispose();
    }
}
