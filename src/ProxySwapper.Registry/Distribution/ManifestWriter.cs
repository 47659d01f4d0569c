using System.Net;
using System.Net.Http.Headers;
using ProxySwapper.Registry.Oci;
using ProxySwapper.Registry.Transport;

namespace ProxySwapper.Registry.Distribution;

/// <summary>Writes manifests byte for byte.</summary>
internal sealed class ManifestWriter(
    RegistryTransport transport,
    RegistryRequests requests,
    ManifestReader reader,
    ReferrersTag referrersTag
)
{
    public async Task PutAsync(string repository, string reference, Manifest manifest, CancellationToken cancellationToken)
    {
        var references = ManifestReferences.Read(manifest);
        var subject = references.Subject;
        // A tag comes last: it would look complete to the next run if the fallback tag could not be written.
        if (subject is not null && !transport.Host.HasReferrersApi && !Digest.TryParse(reference, out _))
            await PutAsync(repository, manifest.Digest.ToString(), manifest, cancellationToken);
        if (await SendAsync(repository, reference, manifest, cancellationToken) || subject is not { } referredTo)
            return;
        await EnterAsync(repository, ReferrersTag.Of(referredTo), [references.Referrer], cancellationToken);
    }

    /// <inheritdoc cref="RegistryClient.EnterReferrersAsync"/>
    public Task<bool> EnterAsync(string repository, string tag, IReadOnlyList<Descriptor> entries, CancellationToken cancellationToken) =>
        referrersTag.EnterAsync(
            repository,
            tag,
            entries,
            (name, index, token) => SendAsync(repository, name, index, token),
            cancellationToken
        );

    /// <summary>The page of a proxy has such a status too.</summary>
    private async Task AssertWrittenAsync(
        RegistryRequest request,
        string repository,
        string reference,
        Digest digest,
        HttpStatusCode status,
        CancellationToken cancellationToken
    )
    {
        if (await reader.FindAsync(repository, reference, cancellationToken) is not { } found || !digest.Matches(found.Bytes.Span))
            throw request.Fault(status, $"the registry did not write {digest}: it does not have it there afterwards");
    }

    /// <summary>Whether the registry recorded the manifest's subject (OCI-Subject): it has the referrers API.</summary>
    private async Task<bool> SendAsync(string repository, string reference, Manifest manifest, CancellationToken cancellationToken)
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
            if (response.Status != HttpStatusCode.Created && stored == default)
                await AssertWrittenAsync(request, repository, reference, manifest.Digest, response.Status, cancellationToken);
            var isRecorded = response.Header("OCI-Subject") is not null;
            transport.Host.HasReferrersApi |= isRecorded;
            return isRecorded;
        }
        catch (RegistryException rejection) when (RegistryQuirks.IsImmutableTag(rejection) && !Digest.TryParse(reference, out _))
        {
            var there = await reader.LookUpAsync(repository, reference, cancellationToken);
            if (there?.Digest == manifest.Digest)
                return false;
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
