using System.Globalization;
using System.Net;
using System.Text;
using System.Text.Json;

namespace ProxySwapper.Registry.Transport;

/// <summary>
/// Converts an unexpected response to an exception: its status, the registry's own errors, Retry-After.
/// </summary>
internal static class ErrorResponseReader
{
    private const int MaxBodySize = 64 * 1024;
    private const int MaxErrors = 8;

    /// <param name="response">The response; its body is read.</param>
    /// <param name="request">The request.</param>
    /// <param name="server">The responding server, if it is not the registry itself.</param>
    /// <param name="time">The clock, for a Retry-After with a date.</param>
    /// <param name="cancellationToken">Cancels the reading.</param>
    public static async Task<RegistryException> ReadAsync(
        RegistryResponse response,
        RegistryRequest request,
        string? server,
        TimeProvider time,
        CancellationToken cancellationToken
    )
    {
        var errors = await ErrorsAsync(response, cancellationToken);
        var status = response.Status;
        return request.Fault(
            status,
            server ?? (response.RedirectedTo is { } other ? $"redirected to {other}" : null),
            errors: errors,
            transient: IsTransient(status),
            retryAfter: RetryAfter(response, time),
            repositoryUnknown: errors.Any(error => error.Code == "NAME_UNKNOWN")
        );
    }

    public static bool IsTransient(HttpStatusCode status) =>
        status is HttpStatusCode.RequestTimeout or HttpStatusCode.TooManyRequests
        || (int)status >= 500 && status is not (HttpStatusCode.NotImplemented or HttpStatusCode.HttpVersionNotSupported);

    /// <summary>Reads <c>errors[]</c>; also Azure's and OAuth2's single <c>error</c>, and plain text unchanged.</summary>
    /// <param name="body">The response's body.</param>
    /// <param name="mediaType">Its media type.</param>
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
        catch (Exception fault) when (fault is JsonException or InvalidOperationException)
        {
            var isText = mediaType == "text/plain" && !body.IsEmpty;
            return isText ? [new RegistryError("", Encoding.UTF8.GetString(body.Span))] : [];
        }
    }

    private static async Task<IReadOnlyList<RegistryError>> ErrorsAsync(RegistryResponse response, CancellationToken cancellationToken)
    {
        try
        {
            return Parse(await response.ReadBodyAsync(MaxBodySize, cancellationToken), response.ContentHeaders.ContentType?.MediaType);
        }
        catch (Exception fault) when (fault is IOException or InvalidDataException or HttpRequestException)
        {
            return [];
        }
    }

    /// <summary>Anything longer is an error of the registry's clock, or an attack; and timers end after 49 days.</summary>
    private static readonly TimeSpan LongestRetryAfter = TimeSpan.FromDays(1);

    /// <summary>
    /// Seconds or a date (<see href="https://www.rfc-editor.org/rfc/rfc9110#section-10.2.3">RFC 9110, 10.2.3</see>). None if it has passed
    /// already, as for a registry whose clock is behind: our own pauses grow, and no pause at all would be a flood.
    /// </summary>
    private static TimeSpan? RetryAfter(RegistryResponse response, TimeProvider time)
    {
        if (response.Header("Retry-After") is not { } value)
            return null;
        if (double.TryParse(value, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var seconds))
            return seconds > 0 ? TimeSpan.FromSeconds(Math.Min(seconds, LongestRetryAfter.TotalSeconds)) : null;
        if (!DateTimeOffset.TryParseExact(value, "r", CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var date))
            return null;
        var wait = date - time.GetUtcNow();
        return wait <= TimeSpan.Zero ? null
            : wait < LongestRetryAfter ? wait
            : LongestRetryAfter;
    }

    private static string Text(JsonElement element, string name) =>
        element.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString()! : "";
}
