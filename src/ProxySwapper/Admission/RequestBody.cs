using System.Buffers;
using System.IO.Pipelines;

namespace ProxySwapper.Admission;

/// <summary>A complete request body, or the status and reason to reject the request with.</summary>
internal readonly struct RequestBody : IDisposable
{
    public static readonly RequestBody TooLarge = new(
        StatusCodes.Status413PayloadTooLarge,
        $"the request body is larger than {RequestBodyReader.MaximumSize / (1024 * 1024)} MiB"
    );

    private static readonly RequestBody Late = new(
        StatusCodes.Status408RequestTimeout,
        $"the request body took longer than {RequestBodyReader.Timeout.TotalSeconds} s"
    );

    private static readonly RequestBody Evicted = new(
        StatusCodes.Status503ServiceUnavailable,
        "too many incomplete request bodies; the oldest was dropped"
    );

    private readonly PipeReader? _pipe;
    private readonly SemaphoreSlim? _turn;

    /// <summary>A complete body.</summary>
    /// <param name="pipe">The pipe to advance on disposal.</param>
    /// <param name="content">Its bytes.</param>
    /// <param name="turn">Released on disposal.</param>
    public RequestBody(PipeReader pipe, ReadOnlySequence<byte> content, SemaphoreSlim? turn = null) =>
        (_pipe, Content, _turn) = (pipe, content, turn);

    public RequestBody(int status, string error) => (Status, Error) = (status, error);

    /// <summary>The bytes; valid until disposal.</summary>
    public ReadOnlySequence<byte> Content { get; }

    public int Status { get; }

    /// <summary>Why the request is rejected, or null.</summary>
    public string? Error { get; }

    public static RequestBody Rejected(BodyEnd? reason) =>
        reason switch
        {
            BodyEnd.Late => Late,
            BodyEnd.Evicted => Evicted,
            _ => TooLarge,
        };

    public void Dispose()
    {
        _pipe?.AdvanceTo(Content.End);
        _turn?.Release();
    }
}
