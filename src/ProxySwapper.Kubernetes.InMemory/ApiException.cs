using System.Text.Json.Nodes;

namespace ProxySwapper.Kubernetes.InMemory;

/// <summary>A refusal, answered as a Status object.</summary>
/// <param name="code">The HTTP status.</param>
/// <param name="reason">The machine-readable reason, for instance <c>NotFound</c>.</param>
/// <param name="message">What people read.</param>
internal sealed class ApiException(int code, string reason, string message) : Exception(message)
{
    public int Code { get; } = code;

    /// <summary>Another one of that name, version or uid.</summary>
    public static ApiException Conflict(string message) => new(StatusCodes.Status409Conflict, "Conflict", message);

    public static ApiException NotFound(ApiPath path) =>
        new(StatusCodes.Status404NotFound, "NotFound", $"{path.Resource} \"{path.Name}\" not found");

    /// <summary>The object would not be valid, or a patch does not apply.</summary>
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
