using System.Buffers;
using System.IO.Pipelines;

namespace ProxySwapper.Admission;

/// <summary>Reads whole request bodies within limits of size and time, each by itself and all together.</summary>
internal sealed class RequestBodyReader(TimeProvider time)
{
    /// <summary>The largest body, in bytes.</summary>
    public const int MaximumSize = 8 * 1024 * 1024;

    /// <summary>How long a body may take to arrive; API servers send it at once.</summary>
    public static readonly TimeSpan Timeout = TimeSpan.FromSeconds(10);

    /// <summary>How many bytes incomplete bodies may hold together: eight of the largest, thousands of the usual.</summary>
    private const long MaximumIncompleteSize = 8L * MaximumSize;

    private long _left = MaximumIncompleteSize;

    /// <summary>Reads a request's body; its bytes are valid until the reader is advanced.</summary>
    public async ValueTask<RequestBody> ReadAsync(HttpRequest request)
    {
        if (request.ContentLength > MaximumSize)
            return RequestBody.TooLarge;
        var pipe = request.BodyReader;
        try
        {
            // Nearly every body is there already: only one that is awaited needs a timer.
            while (true)
            {
                var reading = pipe.ReadAsync();
                if (!reading.IsCompletedSuccessfully)
                    return await AwaitAsync(pipe, reading);
                if (TryComplete(pipe, reading.Result, out var body))
                    return body;
            }
        }
        catch (BadHttpRequestException exception)
        {
            return new RequestBody(default, exception.StatusCode, exception.Message);
        }
    }

    private async ValueTask<RequestBody> AwaitAsync(PipeReader pipe, ValueTask<ReadResult> reading)
    {
        var isLate = false;
        await using var timer = time.CreateTimer(
            _ =>
            {
                isLate = true;
                pipe.CancelPendingRead();
            },
            null,
            Timeout,
            System.Threading.Timeout.InfiniteTimeSpan
        );
        var held = 0L;
        try
        {
            while (true)
            {
                var result = await reading;
                if (isLate)
                    return RequestBody.TooLate;
                var arrived = result.Buffer.Length - held;
                if (!TryTake(arrived))
                    return RequestBody.NoRoom;
                held += arrived;
                // A read that is cancelled by the host, which stops, just goes on: requests that have begun are answered.
                if (TryComplete(pipe, result, out var body))
                    return body;
                reading = pipe.ReadAsync();
            }
        }
        finally
        {
            Interlocked.Add(ref _left, held);
        }
    }

    private bool TryTake(long bytes)
    {
        if (Interlocked.Add(ref _left, -bytes) >= 0)
            return true;
        Interlocked.Add(ref _left, bytes);
        return false;
    }

    /// <summary>The whole body, or why it is refused; false while more is to come.</summary>
    private static bool TryComplete(PipeReader pipe, ReadResult result, out RequestBody body)
    {
        body = result.Buffer.Length > MaximumSize ? RequestBody.TooLarge : new RequestBody(result.Buffer);
        if (result.IsCompleted || body.Error is not null)
            return true;
        pipe.AdvanceTo(result.Buffer.Start, result.Buffer.End);
        return false;
    }
}

/// <summary>A request's whole body, or the status and the reason with which the request is refused.</summary>
internal readonly record struct RequestBody(ReadOnlySequence<byte> Content, int Status = StatusCodes.Status200OK, string? Error = null)
{
    public static readonly RequestBody TooLarge = new(
        default,
        StatusCodes.Status413PayloadTooLarge,
        $"the body is larger than {RequestBodyReader.MaximumSize / (1024 * 1024)} MiB"
    );

    public static readonly RequestBody TooLate = new(
        default,
        StatusCodes.Status408RequestTimeout,
        $"the body took longer than {RequestBodyReader.Timeout.TotalSeconds} s"
    );

    public static readonly RequestBody NoRoom = new(default, StatusCodes.Status503ServiceUnavailable, "too many incomplete request bodies");
}
