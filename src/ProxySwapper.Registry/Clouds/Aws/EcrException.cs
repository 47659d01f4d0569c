using System.Net;

namespace ProxySwapper.Registry.Clouds.Aws;

/// <summary>A call to ECR's API was rejected or failed. The message contains no secret.</summary>
public sealed class EcrException : Exception
{
    internal EcrException(string operation, string code, HttpStatusCode? status, string message, Exception? innerException = null)
        : base(Describe(operation, code, status, message), innerException) => (Operation, Code, Status) = (operation, code, status);

    /// <summary>The operation, such as <c>CreateRepository</c>.</summary>
    public string Operation { get; }

    /// <summary>
    /// ECR's error code, such as <c>RepositoryNotFoundException</c>, <c>RepositoryAlreadyExistsException</c>, <c>AccessDeniedException</c>,
    /// <c>ThrottlingException</c>, <c>LimitExceededException</c>; empty without a response or if it is not an error.
    /// </summary>
    public string Code { get; }

    /// <summary>The HTTP status, or null without a response.</summary>
    public HttpStatusCode? Status { get; }

    /// <summary>True if the identity lacks the permission.</summary>
    public bool IsAccessDenied => Code is "AccessDeniedException" or "AccessDenied" or "UnauthorizedOperation";

    /// <summary>True if a retry may help: throttled, no response, or a server error.</summary>
    public bool IsTransient =>
        Status is null or >= HttpStatusCode.InternalServerError
        || Code.Contains("Throttling", StringComparison.Ordinal)
        || Code == "TooManyRequestsException";

    private static string Describe(string operation, string code, HttpStatusCode? status, string message)
    {
        var what = status is { } number ? $"ecr:{operation}: {(int)number} {code}".TrimEnd() : $"ecr:{operation}: no response";
        return message.Length == 0 ? what : $"{what}: {message}";
    }
}
