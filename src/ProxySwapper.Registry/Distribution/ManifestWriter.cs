using System.Net;
using System.Net.Http.Headers;
using ProxySwapper.Registry.Oci;
using ProxySwapper.Registry.Transport;

namespace ProxySwapper.Registry.Distribution;

/// <summary>Writes manifests, exactly as they are.</summary>
internal sealed class ManifestWriter(RegistryTransport transport, RegistryRequests requests, ManifestReader reader)
{
    private readonly ReferrersTag _referrersTag = new(reader, transport.Host);

    public async Task PutAsync(string repository, string reference, Manifest manifest, CancellationToken cancellationToken)
    {
        if (await SendAsync(repository, reference, manifest, cancellationToken) is not { } isSubjectKnown || isSubjectKnown)
            return;
        if (ManifestSubject.Of(manifest.Bytes.Span) is { } subject)
            await _referrersTag.EnterAsync(
                repository,
                subject,
                manifest,
                (tag, index, token) => SendAsync(repository, tag, index, token),
                cancellationToken
            );
    }

    /// <summary>Whether the registry said that it keeps the manifest's subject in mind; null when the tag had the digest before.</summary>
    private async Task<bool?> SendAsync(string repository, string reference, Manifest manifest, CancellationToken cancellationToken)
    {
        var request = await requests.ToManifestAsync(HttpMethod.Put, repository, reference, cancellationToken) with
        {
            Expected = [HttpStatusCode.Created, HttpStatusCode.OK, HttpStatusCode.Accepted, HttpStatusCode.NoContent],
            Content = () =>
                new ReadOnlyMemoryContent(manifest.Bytes) { Headers = { ContentType = new MediaTypeHeaderValue(manifest.MediaType) } },
        };
        try
        {
            using var answer = await transport.SendAsync(request, cancellationToken);
            if (Digest.TryParse(answer.Header("Docker-Content-Digest"), out var stored) && !stored.Matches(manifest.Bytes.Span))
                throw request.Fault(answer.Status, $"it was given {manifest.Digest} and stored {stored}");
            return answer.Header("OCI-Subject") is not null;
        }
        catch (RegistryException refusal) when (IsImmutable(refusal) && !Digest.TryParse(reference, out _))
        {
            var there = await reader.HeadAsync(repository, reference, cancellationToken);
            if (there?.Digest == manifest.Digest)
                return null;
            throw new RegistryException(
                refusal.Method,
                refusal.Host,
                repository,
                refusal.Status,
                refusal.Errors,
                $"the tag {reference} can't be moved from {there?.Digest.ToString() ?? "nothing"} to {manifest.Digest}",
                refusal
            )
            {
                IsTagConflict = there is not null,
            };
        }
    }

    /// <summary>ECR says TAG_INVALID, Harbor 412, others a sentence.</summary>
    private static bool IsImmutable(RegistryException refusal) =>
        refusal.Status
            is HttpStatusCode.BadRequest
                or HttpStatusCode.Forbidden
                or HttpStatusCode.Conflict
                or HttpStatusCode.PreconditionFailed
                or HttpStatusCode.MethodNotAllowed
        && (
            refusal.Status is HttpStatusCode.Conflict or HttpStatusCode.PreconditionFailed
            || refusal.Errors.Any(error =>
                error.Code is "TAG_INVALID"
                || error.Message.Contains("already exists", StringComparison.OrdinalIgnoreCase)
                || error.Message.Contains("immutable", StringComparison.OrdinalIgnoreCase)
            )
        );
}
