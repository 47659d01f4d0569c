using System.Net;

namespace ProxySwapper.Registry.Clouds.Aws;

/// <summary>ECR's API refused a call, or could not be asked. The message holds no secret.</summary>
public sealed class EcrException : Exception
{
    internal EcrException(string operation, string code, HttpStatusCode? status, string message, Exception? innerException = null)
        : base(Describe(operation, code, status, message), innerException) => (Operation, Code, Status) = (operation, code, status);

    /// <summary>What was called, for instance <c>CreateRepository</c>.</summary>
    public string Operation { get; }

    /// <summary>
    /// ECR's own name of the error, such as <c>RepositoryNotFoundException</c>, <c>RepositoryAlreadyExistsException</c>,
    /// <c>AccessDeniedException</c>, <c>ThrottlingException</c>, <c>LimitExceededException</c>; empty where no answer came, or one that is
    /// no error.
    /// </summary>
    public string Code { get; }

    /// <summary>The HTTP status, or null where no answer came.</summary>
    public HttpStatusCode? Status { get; }

    /// <summary>True when the identity lacks the right to do this.</summary>
    public bool IsAccessDenied => Code is "AccessDeniedException" or "AccessDenied" or "UnauthorizedOperation";

    /// <summary>True when trying again later can help: throttled, not answered, or a fault of the service.</summary>
    public bool IsTransient =>
        Status is null or >= HttpStatusCode.InternalServerError
        || Code.Contains("Throttling", StringComparison.Ordinal)
        || Code == "TooManyRequestsException";

    private static string Describe(string operation, string code, HttpStatusCode? status, string message)
    {
        var what = status is { } number ? $"ecr:{operation}: {(int)number} {code}".TrimEnd() : $"ecr:{operation}: no answer";
        return message.Length == 0 ? what : $"{what}: {message}";
    }
}
