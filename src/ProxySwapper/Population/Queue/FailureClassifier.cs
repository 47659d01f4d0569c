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
        RegistryFailures.IsExpected(fault) || fault is KubernetesException or KubernetesConnectionException or SourceAccessException;

    public static JobFailure Read(Exception fault) =>
        fault switch
        {
            SourceAccessException denied => denied.Failure,
            RegistryException exception => new(exception.Message, KindOf(exception), exception.Host, exception.RetryAfter)
            {
                IsDenied = exception.Status is HttpStatusCode.Unauthorized or HttpStatusCode.Forbidden,
            },
            // Content that cannot be parsed will not be parseable the next time either.
            FormatException or CopyException => new(fault.Message, FailureKind.Permanent),
            _ => new(fault.Message, FailureKind.Transient),
        };

    /// <summary>
    /// True if another credential may give access to the source. Until one has opened the source, every response may be caused by it: token
    /// servers return 400 for an invalid identity token
    /// (<see href="https://www.rfc-editor.org/rfc/rfc6749#section-5.2">RFC 6749, 5.2</see>), servers 431 for a long password, and some fail
    /// inside.
    /// </summary>
    /// <param name="fault">The failure of an attempt with one credential.</param>
    /// <param name="registry">The source's registry.</param>
    /// <param name="isOpened">Whether the credential has given access to the image's manifests.</param>
    public static bool MayDependOnCredential(Exception fault, RegistryName registry, bool isOpened) =>
        fault switch
        {
            RegistryException exception => exception.Host == registry
                && (IsRejection(exception) || !isOpened && !IsNotConnected(exception)),
            FormatException => !isOpened,
            _ => fault is RegistryCredentialException,
        };

    /// <summary>True if the registry or its token server did not respond in time, which each further credential would cost again.</summary>
    public static bool IsTimeout(Exception fault) =>
        fault is RegistryException { Status: null, InnerException: OperationCanceledException or TimeoutException };

    /// <summary>The failure of a source for which several credentials were tried.</summary>
    /// <param name="faults">What happened with each credential, in order; at least one.</param>
    /// <param name="isShared">Whether others use the registry by the same key of the circuit breaker.</param>
    public static Exception Combine(IReadOnlyList<Exception> faults, bool isShared)
    {
        var first = faults.Aggregate((first, later) => IsOutweighed(first, later) ? later : first);
        var failure = Read(first);
        // A registry that responds to another credential is not down.
        var isOnlyOfCredential =
            isShared && failure.Kind == FailureKind.RegistryDown && faults.Any(other => Read(other).Kind != FailureKind.RegistryDown);
        // A rejection says enough. What is wrong with one credential says nothing to those with another.
        var other =
            first is RegistryException exception && IsRejection(exception)
                ? null
                : faults.LastOrDefault(other => other.Message != first.Message)?.Message;
        if (!isOnlyOfCredential && other is null)
            return first;
        return new SourceAccessException(
            failure with
            {
                Message = other is null ? failure.Message : $"{failure.Message}; with another credential: {other}",
                Kind = isOnlyOfCredential ? FailureKind.Transient : failure.Kind,
            },
            first
        );
    }

    /// <summary>
    /// Of the rejections of several credentials the first counts, which belongs to the secret meant for the image, unless it is final and a
    /// later one is not: the wrong secret of one namespace must not decide for the others.
    /// </summary>
    private static bool IsOutweighed(Exception first, Exception later) =>
        Read(first).Kind == FailureKind.Permanent && Read(later).Kind != FailureKind.Permanent;

    /// <summary>To the unauthorised, registries report a private repository as missing; rate limits are per user.</summary>
    private static bool IsRejection(RegistryException fault) =>
        fault.Status
            is HttpStatusCode.Unauthorized
                or HttpStatusCode.Forbidden
                or HttpStatusCode.NotFound
                or HttpStatusCode.TooManyRequests;

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
    private static bool IsUnreachable(Exception? cause) => IsNotConnected(cause) || cause is OperationCanceledException or TimeoutException;

    /// <summary>True if no credential was sent.</summary>
    private static bool IsNotConnected(RegistryException fault) => fault.Status is null && IsNotConnected(fault.InnerException);

    private static bool IsNotConnected(Exception? cause) =>
        cause
            is SocketException
                or HttpRequestException
                {
                    HttpRequestError: HttpRequestError.ConnectionError
                        or HttpRequestError.NameResolutionError
                        or HttpRequestError.SecureConnectionError
                        or HttpRequestError.ProxyTunnelError
                };
}
