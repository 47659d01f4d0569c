using System.Security.Cryptography.X509Certificates;

namespace ProxySwapper.Registry.InMemory;

/// <summary>Options of an <see cref="InMemoryRegistry"/>.</summary>
internal sealed record InMemoryRegistryOptions
{
    /// <summary>The user for Basic authentication, together with a password; null (default) allows anonymous access.</summary>
    public string? Username { get; init; }
    public string? Password { get; init; }

    /// <summary>The TLS certificate; null (default) for plain HTTP.</summary>
    public X509Certificate2? Certificate { get; init; }

    /// <summary>Supports the referrers API and sends <c>OCI-Subject</c>. False for a registry before OCI 1.1.</summary>
    public bool ReferrersApi { get; init; } = true;

    /// <summary>
    /// Sent as <c>OCI-Chunk-Min-Length</c> when an upload starts, and enforced for every chunk but the last; 0 (default) for none.
    /// </summary>
    public int ChunkMinLength { get; init; }

    /// <summary>Rejects changes of existing tags, as ECR does with <c>IMMUTABLE</c>.</summary>
    public bool ImmutableTags { get; init; }

    /// <summary>Accepts an index with missing manifests, which many registries reject.</summary>
    public bool SparseIndexes { get; init; }

    /// <summary>Middleware for every request, which may handle it.</summary>
    public Func<HttpContext, RequestDelegate, Task>? Interceptor { get; init; }
}
