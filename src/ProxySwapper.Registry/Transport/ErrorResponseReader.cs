using System.Globalization;
using System.Net;
using System.Text;
using System.Text.Json;

namespace ProxySwapper.Registry.Transport;

/// <summary>
/// Makes an exception of an answer that is none of those expected: its status, the registry's own errors, when to come back.
/// </summary>
internal static class ErrorResponseReader
{
    private const int MaxBodySize = 64 * 1024;
    private const int MaxErrors = 8;
    private const int MaxTextLength = 400;

    public static async Task<RegistryException> ReadAsync(
        RegistryResponse answer,
        RegistryRequest request,
        string? who,
        TimeProvider time,
        CancellationToken cancellationToken
    )
    {
        var errors = await ErrorsAsync(answer, cancellationToken);
        var status = answer.Status;
        if (who is null && !RedirectingSender.IsSameOrigin(answer.Address, request.Address))
            who = $"redirected to {answer.Address.Authority}";
        if (errors.Count == 0 && ReasonOf(status) is { } reason)
            who = who is null ? reason : $"{who}: {reason}";
        return new RegistryException(request.Method, request.Registry, request.Repository, status, errors, who)
        {
            IsTransient = IsTransient(status),
            RetryAfter = RetryAfter(answer, time),
            IsRepositoryUnknown = errors.Any(error => error.Code == "NAME_UNKNOWN"),
        };
    }

    public static bool IsTransient(HttpStatusCode status) =>
        status is HttpStatusCode.RequestTimeout or HttpStatusCode.TooManyRequests
        || (int)status >= 500 && status is not (HttpStatusCode.NotImplemented or HttpStatusCode.HttpVersionNotSupported);

    /// <summary>Reads <c>errors[]</c>; also Azure's and OAuth2's single <c>error</c>, and plain text as it is.</summary>
    public static IReadOnlyList<RegistryError> Parse(ReadOnlyMemory<byte> body, string? mediaType)
    {
        try
        {
            using var document = JsonDocument.Parse(body);
            var root = document.RootElement;
            if (root.ValueKind != JsonValueKind.Object)
                return [];
            if (root.TryGetProperty("errors", out var errors) && errors.ValueKind == JsonValueKind.Array)
                return
                [
                    .. errors
                        .EnumerateArray()
                        .Where(error => error.ValueKind == JsonValueKind.Object)
                        .Take(MaxErrors)
                        .Select(error => new RegistryError(Text(error, "code"), Text(error, "message"))),
                ];
            if (Text(root, "error") is { Length: > 0 } code)
                return [new RegistryError(code, Text(root, "error_description"))];
            return Text(root, "message") is { Length: > 0 } message ? [new RegistryError("", message)] : [];
        }
        catch (JsonException)
        {
            var isText = mediaType == "text/plain" && !body.IsEmpty;
            return isText ? [new RegistryError("", Clean(Encoding.UTF8.GetString(body.Span)))] : [];
        }
    }

    private static async Task<IReadOnlyList<RegistryError>> ErrorsAsync(RegistryResponse answer, CancellationToken cancellationToken)
    {
        try
        {
            return Parse(await answer.ReadBodyAsync(MaxBodySize, cancellationToken), answer.ContentHeaders.ContentType?.MediaType);
        }
        catch (Exception fault) when (fault is IOException or InvalidDataException or HttpRequestException)
        {
            return [];
        }
    }

    /// <summary>Seconds or a date (<see href="https://www.rfc-editor.org/rfc/rfc9110#section-10.2.3">RFC 9110, 10.2.3</see>).</summary>
    private static TimeSpan? RetryAfter(RegistryResponse answer, TimeProvider time)
    {
        if (answer.Header("Retry-After") is not { } value)
            return null;
        if (double.TryParse(value, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var seconds))
            return TimeSpan.FromSeconds(Math.Min(seconds, int.MaxValue));
        if (!DateTimeOffset.TryParseExact(value, "r", CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var date))
            return null;
        var wait = date - time.GetUtcNow();
        return wait > TimeSpan.Zero ? wait : TimeSpan.Zero;
    }

    private static string Text(JsonElement element, string name) =>
        element.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? Clean(value.GetString()!) : "";

    /// <summary>One line of bounded length: what a stranger sends goes into logs.</summary>
    private static string Clean(string text)
    {
        var line = string.Concat(text.Take(MaxTextLength).Select(character => char.IsControl(character) ? ' ' : character)).Trim();
        return text.Length > MaxTextLength ? line + "…" : line;
    }

    private static string? ReasonOf(HttpStatusCode status) => Enum.IsDefined(status) ? status.ToString() : null;
}
