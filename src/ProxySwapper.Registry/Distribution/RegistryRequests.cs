using System.Net;
using ProxySwapper.Registry.Transport;

namespace ProxySwapper.Registry.Distribution;

/// <summary>The requests of the distribution protocol at one host, with the scope that each needs.</summary>
internal sealed class RegistryRequests(RegistryHost host)
{
    public async ValueTask<RegistryRequest> ToPingAsync(CancellationToken cancellationToken) =>
        new(HttpMethod.Get, host.Name, "", new Uri(await host.AddressAsync(cancellationToken), "v2/")) { Expected = [HttpStatusCode.OK] };

    public ValueTask<RegistryRequest> ToManifestAsync(
        HttpMethod method,
        string repository,
        string reference,
        CancellationToken cancellationToken
    )
    {
        if (!Digest.TryParse(reference, out _) && !ImageReferenceGrammar.IsTag(reference))
            throw new ArgumentException($"'{reference}' is neither a tag nor a digest", nameof(reference));
        return ToAsync(method, repository, $"manifests/{reference}", reference, cancellationToken);
    }

    public ValueTask<RegistryRequest> ToBlobAsync(
        HttpMethod method,
        string repository,
        Digest digest,
        CancellationToken cancellationToken
    ) => ToAsync(method, repository, $"blobs/{digest}", digest.ToString(), cancellationToken);

    public async ValueTask<RegistryRequest> ToStartUploadAsync(string repository, Digest digest, CancellationToken cancellationToken) =>
        await ToAsync(HttpMethod.Post, repository, "blobs/uploads/", digest.ToString(), cancellationToken) with
        {
            Expected = [HttpStatusCode.Accepted],
        };

    public async ValueTask<RegistryRequest> ToMountAsync(
        string repository,
        Digest digest,
        string from,
        CancellationToken cancellationToken
    ) =>
        await ToAsync(
            HttpMethod.Post,
            repository,
            $"blobs/uploads/?mount={Uri.EscapeDataString(digest.ToString())}&from={Uri.EscapeDataString(from)}",
            digest.ToString(),
            cancellationToken
        ) with
        {
            Scope = RegistryScope.ToMount(repository, from),
            Expected = [HttpStatusCode.Created, HttpStatusCode.Accepted],
        };

    /// <summary>A request to an upload session, at the registry's Location.</summary>
    public RegistryRequest ToSession(HttpMethod method, string repository, Digest digest, UploadSession session) =>
        new(method, host.Name, repository, session.Address)
        {
            RedirectedTo = session.RedirectedTo,
            Reference = digest.ToString(),
            Scope = RegistryScope.ToPush(repository),
            Expected = [HttpStatusCode.NoContent],
        };

    public ValueTask<RegistryRequest> ToTagsAsync(string repository, CancellationToken cancellationToken) =>
        ToAsync(HttpMethod.Get, repository, "tags/list?n=1000", null, cancellationToken);

    public async ValueTask<RegistryRequest> ToReferrersAsync(string repository, Digest subject, CancellationToken cancellationToken) =>
        await ToAsync(HttpMethod.Get, repository, $"referrers/{subject}", subject.ToString(), cancellationToken) with
        {
            List = "list of referrers",
        };

    private async ValueTask<RegistryRequest> ToAsync(
        HttpMethod method,
        string repository,
        string rest,
        string? reference,
        CancellationToken cancellationToken
    )
    {
        if (ImageReferenceGrammar.Validate(host.Name, repository) is { } fault)
            throw new ArgumentException($"'{repository}' is not a valid repository of {host.Name}: {fault}", nameof(repository));
        var request = new RegistryRequest(
            method,
            host.Name,
            repository,
            new Uri(await host.AddressAsync(cancellationToken), $"v2/{repository}/{rest}")
        )
        {
            Reference = reference,
            Expected = [HttpStatusCode.OK],
        };
        return request with { Scope = request.IsWriting ? RegistryScope.ToPush(repository) : RegistryScope.ToPull(repository) };
    }
}
