using System.Net;
using System.Text;

namespace ProxySwapper.Kubernetes;

/// <summary>
/// The API server rejected a request or did not respond. The message names verb, resource, namespace and name, status, and the
/// server's own text.
/// </summary>
internal sealed class KubernetesException(
    ApiRequest request,
    HttpStatusCode? status,
    string? reason,
    string? text,
    Exception? innerException = null
) : Exception(Describe(request, status, text ?? innerException?.Message), innerException)
{
    /// <summary>The HTTP status, or null when there was no response.</summary>
    public HttpStatusCode? Status { get; } = status;

    /// <summary>The machine-readable reason of the server's Status object, for instance <c>AlreadyExists</c>, or null.</summary>
    public string? Reason { get; } = reason;

    /// <summary>
    /// Whether the server rejects this request and would reject it again, as opposed to being unreachable or overloaded, or rejecting the
    /// credential. Admission webhooks and policies choose any such status, 400 by default.
    /// </summary>
    public bool IsRejection =>
        Status
            is >= HttpStatusCode.BadRequest
                and < HttpStatusCode.InternalServerError
                and not (HttpStatusCode.Unauthorized or HttpStatusCode.RequestTimeout or HttpStatusCode.TooManyRequests);

    /// <summary>The token to continue a list whose continue token has expired, from the 410's metadata, or null.</summary>
    public string? Continue { get; init; }

    private static string Describe(ApiRequest request, HttpStatusCode? status, string? text)
    {
        string? outcome = status switch
        {
            null => "no response",
            // The server accepted the request; the text says what is wrong with its response.
            >= HttpStatusCode.OK and < HttpStatusCode.MultipleChoices => null,
            { } code => $"{Describe(code)} (HTTP {(int)code})",
        };
        return string.Join(": ", ((string?[])[request.ToString(), outcome, text]).Where(part => !string.IsNullOrEmpty(part)));
    }

    private static string Describe(HttpStatusCode code)
    {
        if (!Enum.IsDefined(code))
            return "unexpected response";
        var words = new StringBuilder();
        foreach (var letter in code.ToString())
        {
            if (char.IsUpper(letter) && words.Length > 0)
                words.Append(' ');
            words.Append(char.ToLowerInvariant(letter));
        }
        return words.ToString();
    }
}
