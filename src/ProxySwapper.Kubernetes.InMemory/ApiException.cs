using System.Text.Json.Nodes;

namespace ProxySwapper.Kubernetes.InMemory;

/// <summary>An error, returned as a Status object.</summary>
/// <param name="code">The HTTP status.</param>
/// <param name="reason">The machine-readable reason, such as <c>NotFound</c>.</param>
/// <param name="message">The human-readable message.</param>
internal sealed class ApiException(int code, string reason, string message) : Exception(message)
{
    public int Code { get; } = code;

    /// <summary>A conflict of name, version or uid.</summary>
    public static ApiException Conflict(string message) => new(StatusCodes.Status409Conflict, "Conflict", message);

    public static ApiException NotFound(ApiPath path) =>
        new(StatusCodes.Status404NotFound, "NotFound", $"{path.Resource} \"{path.Name}\" not found");

    /// <summary>The object would be invalid, or a patch does not apply.</summary>
    public static ApiException Invalid(string message) => new(StatusCodes.Status422UnprocessableEntity, "Invalid", message);

    /// <summary>The Status object.</summary>
    public JsonObject ToStatus() =>
        new()
        {
            ["kind"] = "Status",
            ["apiVersion"] = "v1",
            ["status"] = "Failure",
            ["message"] = Message,
            ["reason"] = reason,
            ["code"] = Code,
        };
}
