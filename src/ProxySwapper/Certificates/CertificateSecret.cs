using System.Net;
using System.Text.Json.Nodes;
using ProxySwapper.Kubernetes;

namespace ProxySwapper.Certificates;

/// <summary>
/// The Secret that stores a <see cref="CertificateSet"/> for all replicas. Only the holder of the Lease with the Secret's name writes it,
/// and only over the version that was read, so that one replica issues and the others use the result.
/// </summary>
internal sealed class CertificateSecret(KubernetesClient client, string name, string holder, TimeProvider time)
{
    private static readonly TimeSpan LeaseDuration = TimeSpan.FromSeconds(30);

    private readonly ResourceClient _secrets = new(client, ResourceType.Secrets);
    private readonly LeaseClient _leases = new(client);

    /// <summary>Reads the Secret; null if it is missing. Its set is null if it is not valid.</summary>
    /// <exception cref="KubernetesException">The API server returned an error or did not respond.</exception>
    public async Task<StoredCertificates?> ReadAsync(CancellationToken cancellationToken)
    {
        if (await _secrets.GetAsync(client.Namespace, name, cancellationToken) is not { } secret)
            return null;
        return new StoredCertificates(secret, CertificateSet.Read(secret));
    }

    /// <summary>Replaces what was read by a new set; false if another replica is doing so or was faster.</summary>
    /// <exception cref="KubernetesException">The API server returned an error or did not respond.</exception>
    public async Task<bool> TryWriteAsync(CertificateSet set, StoredCertificates? over, CancellationToken cancellationToken)
    {
        if (await TryLockAsync(cancellationToken) is not { } held)
            return false;
        try
        {
            var body = over?.Secret.DeepClone().AsObject() ?? Empty();
            body["data"] = set.ToData();
            if (over is null)
                await _secrets.CreateAsync(client.Namespace, body, cancellationToken);
            else
                await _secrets.UpdateAsync(client.Namespace, name, body, cancellationToken);
            return true;
        }
        catch (KubernetesException problem) when (problem.Status == HttpStatusCode.Conflict)
        {
            return false;
        }
        finally
        {
            await _leases.TryDeleteAsync(held, CancellationToken.None);
        }
    }

    private async Task<Lease?> TryLockAsync(CancellationToken cancellationToken)
    {
        var now = time.GetUtcNow();
        var wanted = new Lease(client.Namespace, name)
        {
            HolderIdentity = holder,
            Duration = LeaseDuration,
            AcquireTime = now,
            RenewTime = now,
        };
        if (await _leases.TryCreateAsync(wanted, cancellationToken) is { } created)
            return created;
        // A holder that crashed leaves its Lease behind.
        if (await _leases.GetAsync(client.Namespace, name, cancellationToken) is not { } other)
            return null;
        return other.RenewTime + (other.Duration ?? LeaseDuration) > now
            ? null
            : await _leases.TryUpdateAsync(
                wanted with
                {
                    Uid = other.Uid,
                    ResourceVersion = other.ResourceVersion,
                    Transitions = other.Transitions + 1,
                },
                cancellationToken
            );
    }

    private JsonObject Empty() =>
        new()
        {
            ["apiVersion"] = "v1",
            ["kind"] = "Secret",
            ["type"] = "kubernetes.io/tls",
            ["metadata"] = new JsonObject { ["name"] = name, ["namespace"] = client.Namespace },
        };
}

/// <summary>The content of the Secret.</summary>
/// <param name="Secret">The object, with its version.</param>
/// <param name="Set">The set, or null if the Secret has no valid one.</param>
internal sealed record StoredCertificates(JsonObject Secret, CertificateSet? Set);
