using System.Net;
using System.Net.Sockets;
using ProxySwapper.Kubernetes;
using ProxySwapper.Kubernetes.Connection;
using ProxySwapper.Registries;
using ProxySwapper.Registry;
using ProxySwapper.Registry.Copying;
using ProxySwapper.Registry.Credentials;
using ProxySwapper.Registry.Transport;

namespace ProxySwapper.Population.Queue;

/// <summary>Classifies the exception of an attempt for the image and for the registries.</summary>
internal static class FailureClassifier
{
    /// <summary>True for failures of registries, the API server and the network; anything else is a bug.</summary>
    public static bool IsExpected(Exception fault) =>
        RegistryFailures.IsExpected(fault) || fault is KubernetesException or KubernetesConnectionException;

    public static JobFailure Read(Exception fault) =>
        fault switch
        {
            RegistryException refused => new(refused.Message, KindOf(refused), refused.Host, refused.RetryAfter)
            {
                IsDenied = refused.Status is HttpStatusCode.Unauthorized or HttpStatusCode.Forbidden,
            },
            // Content that cannot be parsed will not be parseable the next time either.
            FormatException or CopyException => new(fault.Message, FailureKind.Permanent),
            _ => new(fault.Message, FailureKind.Transient),
        };

    /// <summary>True if another credential may give access to the source.</summary>
    public static bool IsRefusal(Exception fault, RegistryName registry) =>
        fault switch
        {
            // To the unauthorised, registries report a private repository as missing; rate limits are per user.
            RegistryException refused => refused.Host == registry
                && refused.Status
                    is HttpStatusCode.Unauthorized
                        or HttpStatusCode.Forbidden
                        or HttpStatusCode.NotFound
                        or HttpStatusCode.TooManyRequests,
            _ => fault is RegistryCredentialException,
        };

    /// <summary>
    /// Of the refusals of several credentials the first counts, which belongs to the secret meant for the image, unless it is final and a
    /// later one is not: the wrong secret of one namespace must not decide for the others.
    /// </summary>
    public static bool IsOutweighed(Exception first, Exception later) =>
        Read(first).Kind == FailureKind.Permanent && Read(later).Kind != FailureKind.Permanent;

    private static FailureKind KindOf(RegistryException fault) =>
        fault.Status switch
        {
            _ when fault.IsLimitExceeded => FailureKind.Permanent,
            null => IsUnreachable(fault.InnerException) ? FailureKind.RegistryDown : FailureKind.Transient,
            HttpStatusCode.TooManyRequests or HttpStatusCode.ServiceUnavailable => FailureKind.RegistryDown,
            HttpStatusCode.RequestTimeout => FailureKind.Transient,
            >= HttpStatusCode.BadRequest and < HttpStatusCode.InternalServerError when !fault.IsTransient => FailureKind.Permanent,
            _ => FailureKind.Transient,
        };

    /// <summary>No response at all. A connection that breaks midway may only concern this image.</summary>
    private static bool IsUnreachable(Exception? cause) =>
        cause switch
        {
            HttpRequestException
            {
                HttpRequestError: HttpRequestError.ConnectionError
                    or HttpRequestError.NameResolutionError
                    or HttpRequestError.SecureConnectionError
                    or HttpRequestError.ProxyTunnelError
            } => true,
            OperationCanceledException or TimeoutException or SocketException => true,
            _ => false,
        };
}
