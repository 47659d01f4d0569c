using System.Buffers;
using System.IO.Pipelines;

namespace ProxySwapper.Admission;

/// <summary>Reads whole request bodies within limits of size and time, each by itself and all together.</summary>
internal sealed class RequestBodyReader(TimeProvider time) : IDisposable
{
    /// <summary>
    /// The largest body, in bytes: etcd stores at most 1.5 MiB for a Pod, an update sends the old one too, and Go's JSON needs six bytes
    /// for characters such as <c>&lt;</c>.
    /// </summary>
    public const int MaximumSize = 20 * 1024 * 1024;

    /// <summary>How long a body may take to arrive; API servers send it at once.</summary>
    public static readonly TimeSpan Timeout = TimeSpan.FromSeconds(10);

    /// <summary>Bodies beyond this size are worked on one at a time: each needs its size in memory once more.</summary>
    private const int MaximumConcurrentSize = 1024 * 1024;

    private readonly RequestBodyLimiter _limiter = new();
    private readonly SemaphoreSlim _largeTurn = new(1);

    /// <summary>Reads a request's body, which must be disposed of.</summary>
    public async ValueTask<RequestBody> ReadAsync(HttpRequest request)
    {
        if (request.ContentLength > MaximumSize)
            return RequestBody.TooLarge;
        var pipe = request.BodyReader;
        try
        {
            // Nearly every body is there already: only one that is awaited, or a large one, needs a timer and is counted.
            while (true)
            {
                var reading = pipe.ReadAsync();
                if (!reading.IsCompletedSuccessfully)
                    return await AwaitAsync(pipe, reading);
                var result = reading.Result;
                if (result.Buffer.Length > RequestBodyLimiter.MaximumSmallSize)
                    return await AwaitAsync(pipe, new ValueTask<ReadResult>(result));
                if (result.IsCompleted)
                    return new RequestBody(pipe, result.Buffer);
                pipe.AdvanceTo(result.Buffer.Start, result.Buffer.End);
            }
        }
        catch (BadHttpRequestException exception)
        {
            return new RequestBody(exception.StatusCode, exception.Message);
        }
    }

    public void Dispose() => _largeTurn.Dispose();

    private async ValueTask<RequestBody> AwaitAsync(PipeReader pipe, ValueTask<ReadResult> reading)
    {
        var body = _limiter.Add(pipe);
        try
        {
            await using var timer = time.CreateTimer(
                state => ((IncompleteBody)state!).End(BodyEnd.Late),
                body,
                Timeout,
                System.Threading.Timeout.InfiniteTimeSpan
            );
            while (true)
            {
                var result = await reading;
                _limiter.Grow(body, result.Buffer.Length);
                // A read that is cancelled by the host, which stops, just goes on: requests that have begun are answered.
                var isDone = result.IsCompleted && body.Reason is null;
                if (isDone && result.Buffer.Length <= MaximumSize)
                    return await TakeTurnAsync(pipe, result.Buffer, body);
                if (isDone || body.Reason is not null || result.Buffer.Length > MaximumSize)
                {
                    pipe.AdvanceTo(result.Buffer.End);
                    return RequestBody.Refused(body.Reason);
                }
                pipe.AdvanceTo(result.Buffer.Start, result.Buffer.End);
                reading = pipe.ReadAsync();
            }
        }
        finally
        {
            _limiter.Remove(body);
        }
    }

    /// <summary>While a large body waits for its turn it can still be evicted.</summary>
    private async ValueTask<RequestBody> TakeTurnAsync(PipeReader pipe, ReadOnlySequence<byte> content, IncompleteBody body)
    {
        if (content.Length <= MaximumConcurrentSize)
            return new RequestBody(pipe, content);
        await _largeTurn.WaitAsync();
        if (body.Reason is null)
            return new RequestBody(pipe, content, _largeTurn);
        _largeTurn.Release();
        pipe.AdvanceTo(content.End);
        return RequestBody.Refused(body.Reason);
    }
}
