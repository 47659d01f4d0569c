using System.Text.Json.Nodes;

namespace ProxySwapper.Kubernetes;

/// <summary>
/// Leases, changed only by a client that has read their latest version: an update carries uid and resourceVersion, since a PUT without the
/// uid would recreate a Lease that was released in the meantime.
/// </summary>
internal sealed class LeaseClient(KubernetesClient client)
{
    private readonly ResourceClient _leases = new(client, ResourceType.Leases);

    /// <summary>A Lease, or null when it does not exist.</summary>
    /// <exception cref="KubernetesException">The server returned an error or did not respond.</exception>
    public async Task<Lease?> GetAsync(string @namespace, string name, CancellationToken cancellationToken) =>
        await _leases.GetAsync(@namespace, name, cancellationToken) is { } found ? Read(found, @namespace, name) : null;

    /// <summary>The Leases of a namespace with these labels.</summary>
    /// <exception cref="KubernetesException">The server returned an error or did not respond.</exception>
    public IAsyncEnumerable<Lease> ListAsync(string @namespace, string? labelSelector, CancellationToken cancellationToken) =>
        new ResourceLister(client).ListAsync(
            new ResourceQuery(ResourceType.Leases, @namespace) { LabelSelector = labelSelector },
            LeaseJson.Read,
            cancellationToken
        );

    /// <summary>Creates a Lease; null if the name is taken.</summary>
    /// <returns>The Lease with its uid and resource version.</returns>
    /// <exception cref="KubernetesException">The server returned an error or did not respond.</exception>
    public async Task<Lease?> TryCreateAsync(Lease lease, CancellationToken cancellationToken)
    {
        try
        {
            var created = await _leases.CreateAsync(lease.Namespace, LeaseJson.Write(lease), cancellationToken);
            return Read(created, lease.Namespace, lease.Name);
        }
        catch (KubernetesException problem) when (problem.Reason == "AlreadyExists")
        {
            return null;
        }
    }

    /// <summary>Replaces the version that was read; null if it has changed or been deleted.</summary>
    /// <param name="lease">The Lease with the uid and resource version that were read.</param>
    /// <param name="cancellationToken">Cancels the call.</param>
    /// <returns>The Lease with its new resource version.</returns>
    /// <exception cref="KubernetesException">The server returned an error or did not respond.</exception>
    public async Task<Lease?> TryUpdateAsync(Lease lease, CancellationToken cancellationToken)
    {
        if (lease.Uid.Length == 0 || lease.ResourceVersion.Length == 0)
            throw new ArgumentException("a Lease is updated with the uid and resourceVersion that were seen", nameof(lease));
        try
        {
            var updated = await _leases.UpdateAsync(lease.Namespace, lease.Name, LeaseJson.Write(lease), cancellationToken);
            return Read(updated, lease.Namespace, lease.Name);
        }
        catch (KubernetesException problem)
            when (problem.Status is System.Net.HttpStatusCode.Conflict or System.Net.HttpStatusCode.NotFound)
        {
            return null;
        }
    }

    /// <summary>Deletes the version that was read; false if it has changed or been deleted.</summary>
    /// <exception cref="KubernetesException">The server returned an error or did not respond.</exception>
    public async Task<bool> TryDeleteAsync(Lease lease, CancellationToken cancellationToken)
    {
        try
        {
            var seen = new Preconditions(lease.Uid, lease.ResourceVersion);
            return await _leases.DeleteAsync(lease.Namespace, lease.Name, seen, cancellationToken);
        }
        catch (KubernetesException problem) when (problem.Status == System.Net.HttpStatusCode.Conflict)
        {
            return false;
        }
    }

    /// <summary>A Lease of a response, which has what identifies the version that was seen.</summary>
    private static Lease Read(JsonObject response, string @namespace, string name) =>
        LeaseJson.Read(response) is { Uid.Length: > 0, ResourceVersion.Length: > 0 } lease
            ? lease
            : throw new KubernetesException(
                new ApiRequest(HttpMethod.Get, ResourceType.Leases.ObjectPath(@namespace, name)),
                System.Net.HttpStatusCode.OK,
                null,
                "the response is not a Lease"
            );
}
