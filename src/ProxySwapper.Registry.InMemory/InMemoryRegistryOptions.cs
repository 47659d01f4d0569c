using System.Security.Cryptography.X509Certificates;

namespace ProxySwapper.Registry.InMemory;

/// <summary>What an <see cref="InMemoryRegistry"/> is like.</summary>
internal sealed record InMemoryRegistryOptions
{
    /// <summary>With a password, the user that Basic authentication demands; null (default) lets everybody in.</summary>
    public string? Username { get; init; }
    public string? Password { get; init; }

    /// <summary>Speaks TLS with this certificate; null (default) is plain HTTP.</summary>
    public X509Certificate2? Certificate { get; init; }

    /// <summary>Answers the referrers API and says <c>OCI-Subject</c>. False is a registry from before OCI 1.1.</summary>
    public bool ReferrersApi { get; init; } = true;

    /// <summary>
    /// Said as <c>OCI-Chunk-Min-Length</c> when an upload starts, and demanded of every chunk but the last; 0 (default) is not said.
    /// </summary>
    public int ChunkMinLength { get; init; }

    /// <summary>Refuses to move a tag that is there, as ECR does with <c>IMMUTABLE</c>.</summary>
    public bool ImmutableTags { get; init; }

    /// <summary>Takes an index whose manifests are not all there; many registries refuse it.</summary>
    public bool SparseIndexes { get; init; }

    /// <summary>Sees every request before the registry does, and may answer it alone.</summary>
    public Func<HttpContext, RequestDelegate, Task>? Interceptor { get; init; }
}
