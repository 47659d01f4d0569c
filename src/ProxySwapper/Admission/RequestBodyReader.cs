using System.Buffers;
using System.IO.Pipelines;

namespace ProxySwapper.Admission;

/// <summary>Reads complete request bodies within limits of size and time, per request and in total.</summary>
internal sealed class RequestBodyReader(TimeProvider time) : IDisposable
{
    /// <summary>
    /// The maximum body size in bytes: etcd stores at most 1.5 MiB for a Pod, an update also sends the old one, and Go's JSON needs six
    /// bytes for characters such as <c>&lt;</c>.
    /// </summary>
    public const int MaximumSize = 20 * 1024 * 1024;

    /// <summary>How long a body may take to arrive; API servers send it at once.</summary>
    public static readonly TimeSpan Timeout = TimeSpan.FromSeconds(10);

    /// <summary>Larger bodies are processed one at a time, since each needs its size in memory a second time.</summary>
    private const int MaximumConcurrentSize = 1024 * 1024;

    private readonly RequestBodyLimiter _limiter = new();
    private readonly SemaphoreSlim _largeTurn = new(1);

    /// <summary>Reads a request body; the caller disposes of it.</summary>
    public async ValueTask<RequestBody> ReadAsync(HttpRequest request)
    {
        if (request.ContentLength > MaximumSize)
            return RequestBody.TooLarge;
        var pipe = request.BodyReader;
        try
        {
            // Nearly every body has arrived already; only one that is incomplete, or large, needs a timer and is counted.
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
                // A read cancelled by the stopping host continues: requests in progress get their responses.
                var isDone = result.IsCompleted && body.Reason is null;
                if (isDone && result.Buffer.Length <= MaximumSize)
                    return await TakeTurnAsync(pipe, result.Buffer, body);
                if (isDone || body.Reason is not null || result.Buffer.Length > MaximumSize)
                {
                    pipe.AdvanceTo(result.Buffer.End);
                    return RequestBody.Rejected(body.Reason);
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

    /// <summary>A large body can still be evicted while it waits for its turn.</summary>
    private async ValueTask<RequestBody> TakeTurnAsync(PipeReader pipe, ReadOnlySequence<byte> content, IncompleteBody body)
    {
        if (content.Length <= MaximumConcurrentSize)
            return new RequestBody(pipe, content);
        await _largeTurn.WaitAsync();
        if (body.Reason is null)
            return new RequestBody(pipe, content, _largeTurn);
        _largeTurn.Release();
        pipe.AdvanceTo(content.End);
        return RequestBody.Rejected(body.Reason);
    }
}
