using System.Net;

namespace ProxySwapper.Registry.Transport;

/// <summary>Deviations of single registries from the distribution-spec.</summary>
internal static class RegistryQuirks
{
    /// <summary>The service in the challenge of a private ECR registry.</summary>
    private const string EcrService = "ecr.amazonaws.com";

    /// <summary>For an upload to a missing repository, ECR drops the connection instead of responding.</summary>
    public static bool DropsUploadsToUnknownRepositories(string? service) => service == EcrService;

    /// <summary>
    /// For an expired password, ECR returns 403 (private) or 400 (public) without a challenge; a HEAD's response has no body with more.
    /// </summary>
    public static bool MayBeExpiredPassword(RegistryException rejection) =>
        rejection.Status == HttpStatusCode.Forbidden
        || rejection.Status == HttpStatusCode.BadRequest && (rejection.HasCode("DENIED") || rejection.Method == HttpMethod.Head);

    /// <summary>An immutable tag: ECR returns TAG_INVALID, Harbor 412, others 409 or a text.</summary>
    public static bool IsImmutableTag(RegistryException rejection) =>
        rejection.Status switch
        {
            HttpStatusCode.Conflict or HttpStatusCode.PreconditionFailed => true,
            HttpStatusCode.BadRequest or HttpStatusCode.Forbidden or HttpStatusCode.MethodNotAllowed => rejection.Errors.Any(error =>
                error.Code is "TAG_INVALID"
                || error.Message.Contains("already exists", StringComparison.OrdinalIgnoreCase)
                || error.Message.Contains("immutable", StringComparison.OrdinalIgnoreCase)
            ),
            _ => false,
        };

    /// <summary>
    /// Some registries (Nexus, GitLab) reject a HEAD where they would respond to a GET; 401 and 404 do not count as such a rejection, since
    /// they have a meaning.
    /// </summary>
    public static bool IsHeadRejected(RegistryException rejection) =>
        rejection.Method == HttpMethod.Head
        && rejection.Status
            is HttpStatusCode.BadRequest
                or HttpStatusCode.Forbidden
                or HttpStatusCode.MethodNotAllowed
                or HttpStatusCode.NotAcceptable
                or HttpStatusCode.UnprocessableEntity
                or HttpStatusCode.NotImplemented;

    /// <summary>The page size is rejected, but the list without it works (older GitLab, Quay).</summary>
    public static bool IsPageSizeRejected(RegistryException rejection) =>
        rejection.Status
            is HttpStatusCode.BadRequest
                or HttpStatusCode.NotAcceptable
                or HttpStatusCode.RequestedRangeNotSatisfiable
                or HttpStatusCode.UnprocessableEntity
                or HttpStatusCode.NotImplemented;

    /// <summary>A single PUT is rejected, whatever the blob's size.</summary>
    public static bool IsMonolithicUploadRejected(RegistryException rejection) =>
        rejection.Status is HttpStatusCode.MethodNotAllowed or HttpStatusCode.NotImplemented or HttpStatusCode.LengthRequired
        || rejection.HasCode("UNSUPPORTED");

    /// <summary>
    /// An upload session that this replica of the registry does not know, or whose bytes differ: several replicas behind one name that do
    /// not share sessions. A new session may reach another replica.
    /// </summary>
    public static bool IsUploadSessionLost(RegistryException rejection) =>
        !rejection.IsRepositoryUnknown
        && (
            rejection.Status is HttpStatusCode.NotFound or HttpStatusCode.RequestedRangeNotSatisfiable
            || rejection.HasCode("BLOB_UPLOAD_UNKNOWN")
            || rejection.HasCode("BLOB_UPLOAD_INVALID")
            || rejection.HasCode("DIGEST_INVALID")
        );
}
