using System.Buffers;
using System.IO.Pipelines;

namespace ProxySwapper.Admission;

/// <summary>A request's whole body, or the status and the reason with which the request is refused.</summary>
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
        "too many incomplete request bodies: this one was the oldest"
    );

    private readonly PipeReader? _pipe;
    private readonly SemaphoreSlim? _turn;

    /// <summary>A body to be worked on.</summary>
    /// <param name="pipe">Where it is consumed in the end.</param>
    /// <param name="content">Its bytes.</param>
    /// <param name="turn">What is released then.</param>
    public RequestBody(PipeReader pipe, ReadOnlySequence<byte> content, SemaphoreSlim? turn = null) =>
        (_pipe, Content, _turn) = (pipe, content, turn);

    public RequestBody(int status, string error) => (Status, Error) = (status, error);

    /// <summary>The bytes; valid until this is disposed of.</summary>
    public ReadOnlySequence<byte> Content { get; }

    public int Status { get; }

    /// <summary>Why the request is refused, or null.</summary>
    public string? Error { get; }

    public static RequestBody Refused(BodyEnd? reason) =>
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
