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

    /// <summary>Where the text of an error is; the first one counts.</summary>
    private static readonly string[] Messages = ["error_description", "message", "detail", "details"];

    /// <param name="response">The response; its body is read.</param>
    /// <param name="request">The request.</param>
    /// <param name="detail">Our own explanation, or null.</param>
    /// <param name="time">The clock, for a Retry-After with a date.</param>
    /// <param name="cancellationToken">Cancels the reading.</param>
    public static async Task<RegistryException> ReadAsync(
        RegistryResponse response,
        RegistryRequest request,
        string? detail,
        TimeProvider time,
        CancellationToken cancellationToken
    )
    {
        var errors = await ErrorsAsync(response, cancellationToken);
        var status = response.Status;
        return request.Fault(
            status,
            response.RedirectedTo is not { } other ? detail
                : detail is null ? $"redirected to {other}"
                : $"redirected to {other}: {detail}",
            errors: errors,
            transient: IsTransient(status),
            retryAfter: RetryAfter(response, time),
            repositoryUnknown: errors.Any(error => error.Code == "NAME_UNKNOWN")
        );
    }

    public static bool IsTransient(HttpStatusCode status) =>
        status is HttpStatusCode.RequestTimeout or HttpStatusCode.TooManyRequests
        || (int)status >= 500 && status is not (HttpStatusCode.NotImplemented or HttpStatusCode.HttpVersionNotSupported);

    /// <summary>
    /// Reads <c>errors[]</c>; also the single errors of token servers, clouds and proxies
    /// (<see href="https://www.rfc-editor.org/rfc/rfc6749#section-5.2">OAuth2</see>,
    /// <see href="https://www.rfc-editor.org/rfc/rfc9457">problem details</see>, Docker Hub's <c>details</c>), and plain text unchanged.
    /// </summary>
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
            if (root.TryGetProperty("errors", out var errors) && ErrorsOf(errors) is { Count: > 0 } found)
                return found;
            return ErrorOf(root) is { } error ? [error] : [];
        }
        catch (Exception fault) when (fault is JsonException or InvalidOperationException)
        {
            var isText = mediaType == "text/plain" && !body.IsEmpty;
            return isText ? [new RegistryError("", Encoding.UTF8.GetString(body.Span))] : [];
        }
    }

    /// <summary>The entries of <c>errors</c>, or the only one.</summary>
    private static List<RegistryError> ErrorsOf(JsonElement errors) =>
        errors.ValueKind == JsonValueKind.Array
            ? [.. errors.EnumerateArray().Select(ErrorOf).OfType<RegistryError>().Take(MaxErrors)]
            : [.. new[] { ErrorOf(errors) }.OfType<RegistryError>()];

    /// <summary>What a text or an object says; null for nothing.</summary>
    private static RegistryError? ErrorOf(JsonElement element)
    {
        if (element.ValueKind == JsonValueKind.String)
            return element.GetString() is { Length: > 0 } text ? new RegistryError("", text) : null;
        if (element.ValueKind != JsonValueKind.Object)
            return null;
        var code = Text(element, "code");
        if (code.Length == 0 && element.TryGetProperty("error", out var error))
        {
            if (error.ValueKind == JsonValueKind.Object)
                return ErrorOf(error);
            code = Text(element, "error");
        }
        var message = Messages.Select(name => Text(element, name)).FirstOrDefault(text => text.Length > 0) ?? "";
        if (message.Length == 0 && element.TryGetProperty("detail", out var detail))
            message = detail.ValueKind is JsonValueKind.Object or JsonValueKind.Array ? detail.GetRawText() : "";
        if (Text(element, "title") is { Length: > 0 } title)
            message = message.Length == 0 ? title : $"{title}: {message}";
        return code.Length + message.Length == 0 ? null : new RegistryError(code, message);
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
