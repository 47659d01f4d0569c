using System.Net;

namespace ProxySwapper.Registry.Transport;

/// <summary>What single registries do otherwise than the distribution-spec says.</summary>
internal static class RegistryQuirks
{
    /// <summary>The service that a private registry of ECR names in its challenge.</summary>
    private const string EcrService = "ecr.amazonaws.com";

    /// <summary>ECR drops the connection of an upload to a repository that it does not have, instead of answering.</summary>
    public static bool DropsUploadsToUnknownRepositories(string? service) => service == EcrService;

    /// <summary>
    /// ECR says of an expired password 403 (private) or 400 (public), without a challenge; the response to a HEAD has no body to say more.
    /// </summary>
    public static bool IsPerhapsAnExpiredPassword(RegistryException refusal) =>
        refusal.Status == HttpStatusCode.Forbidden
        || refusal.Status == HttpStatusCode.BadRequest && (refusal.HasCode("DENIED") || refusal.Method == HttpMethod.Head);

    /// <summary>A tag that must not move: ECR says TAG_INVALID, Harbor 412, others 409 or a sentence.</summary>
    public static bool IsImmutableTag(RegistryException refusal) =>
        refusal.Status switch
        {
            HttpStatusCode.Conflict or HttpStatusCode.PreconditionFailed => true,
            HttpStatusCode.BadRequest or HttpStatusCode.Forbidden or HttpStatusCode.MethodNotAllowed => refusal.Errors.Any(error =>
                error.Code is "TAG_INVALID"
                || error.Message.Contains("already exists", StringComparison.OrdinalIgnoreCase)
                || error.Message.Contains("immutable", StringComparison.OrdinalIgnoreCase)
            ),
            _ => false,
        };

    /// <summary>
    /// Some registries (Nexus, GitLab) refuse a HEAD that they would answer as a GET; 401 and 404 are not among these refusals, since
    /// those have a meaning.
    /// </summary>
    public static bool IsHeadRefused(RegistryException refusal) =>
        refusal.Method == HttpMethod.Head
        && refusal.Status
            is HttpStatusCode.BadRequest
                or HttpStatusCode.Forbidden
                or HttpStatusCode.MethodNotAllowed
                or HttpStatusCode.NotAcceptable
                or HttpStatusCode.UnprocessableEntity
                or HttpStatusCode.NotImplemented;

    /// <summary>A page size is refused, where the same list without one is not (older GitLab, Quay).</summary>
    public static bool IsPageSizeRefused(RegistryException refusal) =>
        refusal.Status
            is HttpStatusCode.BadRequest
                or HttpStatusCode.NotAcceptable
                or HttpStatusCode.RequestedRangeNotSatisfiable
                or HttpStatusCode.UnprocessableEntity
                or HttpStatusCode.NotImplemented;

    /// <summary>A blob is not taken in one PUT, whatever its size.</summary>
    public static bool IsWholeUploadRefused(RegistryException refusal) =>
        refusal.Status is HttpStatusCode.MethodNotAllowed or HttpStatusCode.NotImplemented or HttpStatusCode.LengthRequired
        || refusal.HasCode("UNSUPPORTED");

    /// <summary>
    /// An upload session that this replica of the registry does not know, or has other bytes in than were sent: several replicas behind
    /// one name that do not share their sessions. A new session may meet another one.
    /// </summary>
    public static bool IsUploadSessionLost(RegistryException refusal) =>
        !refusal.IsRepositoryUnknown
        && (
            refusal.Status is HttpStatusCode.NotFound or HttpStatusCode.RequestedRangeNotSatisfiable
            || refusal.HasCode("BLOB_UPLOAD_UNKNOWN")
            || refusal.HasCode("BLOB_UPLOAD_INVALID")
            || refusal.HasCode("DIGEST_INVALID")
        );
}
