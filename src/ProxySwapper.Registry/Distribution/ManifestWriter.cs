using System.Net;
using System.Net.Http.Headers;
using ProxySwapper.Registry.Oci;
using ProxySwapper.Registry.Transport;

namespace ProxySwapper.Registry.Distribution;

/// <summary>Writes manifests byte for byte.</summary>
internal sealed class ManifestWriter(RegistryTransport transport, RegistryRequests requests, ManifestReader reader)
{
    private readonly ReferrersTag _referrersTag = new(reader, transport.Host);

    public async Task PutAsync(string repository, string reference, Manifest manifest, CancellationToken cancellationToken)
    {
        if (await SendAsync(repository, reference, manifest, cancellationToken) is not { } isSubjectKnown || isSubjectKnown)
            return;
        if (ManifestReferences.Read(manifest).Subject is { } subject)
            await _referrersTag.EnterAsync(
                repository,
                subject,
                manifest,
                (tag, index, token) => SendAsync(repository, tag, index, token),
                cancellationToken
            );
    }

    /// <summary>Whether the registry recorded the manifest's subject (OCI-Subject); null if the tag already had the digest.</summary>
    private async Task<bool?> SendAsync(string repository, string reference, Manifest manifest, CancellationToken cancellationToken)
    {
        var request = await requests.ToManifestAsync(HttpMethod.Put, repository, reference, cancellationToken) with
        {
            Expected = [HttpStatusCode.Created, HttpStatusCode.OK, HttpStatusCode.Accepted, HttpStatusCode.NoContent],
            Content = _ => new ReadOnlyMemoryContent(manifest.Bytes)
            {
                Headers = { ContentType = new MediaTypeHeaderValue(manifest.MediaType) },
            },
        };
        try
        {
            using var response = await transport.SendAsync(request, cancellationToken);
            if (Digest.TryParse(response.Header("Docker-Content-Digest"), out var stored) && !stored.Matches(manifest.Bytes.Span))
                throw request.Fault(response.Status, $"sent {manifest.Digest}, the registry stored {stored}");
            return response.Header("OCI-Subject") is not null;
        }
        catch (RegistryException rejection) when (RegistryQuirks.IsImmutableTag(rejection) && !Digest.TryParse(reference, out _))
        {
            var there = await reader.LookUpAsync(repository, reference, cancellationToken);
            if (there?.Digest == manifest.Digest)
                return null;
            throw new RegistryException(
                rejection.Method,
                rejection.Host,
                repository,
                rejection.Status,
                rejection.Errors,
                $"the tag {reference} cannot be moved from {there?.Digest.ToString() ?? "nothing"} to {manifest.Digest}",
                rejection,
                reference
            )
            {
                IsTagConflict = there is not null,
            };
        }
    }
}
