using ProxySwapper.Registry;

namespace ProxySwapper.Configuration;

/// <summary>One entry of <c>registries</c>: how to connect and authenticate to a host.</summary>
internal sealed record RegistryEntryOptions
{
    /// <summary>The registry.</summary>
    public required RegistryName Host { get; init; }

    /// <summary>Null: the chain's own order (Docker's config.json, then the host's cloud, then anonymous).</summary>
    public RegistryAuth? Auth { get; init; }
    public SecretSource? UsernameFrom { get; init; }
    public SecretSource? PasswordFrom { get; init; }

    /// <summary>A Docker config.json other than the default, with <see cref="RegistryAuth.DockerConfig"/>.</summary>
    public string? DockerConfigFile { get; init; }

    /// <summary>With <see cref="RegistryAuth.Ecr"/>: the region of a host whose name does not contain one.</summary>
    public string? Region { get; init; }

    /// <summary>The profile of the AWS configuration files to use for this host; null for the default chain.</summary>
    public string? AwsProfile { get; init; }

    /// <summary>The Azure application or managed identity to use for this host; null for Azure.Identity's default chain.</summary>
    public string? AzureClientId { get; init; }

    /// <summary>The tenant of that identity, where it differs from the process's own.</summary>
    public string? AzureTenantId { get; init; }

    /// <summary>The key file of the Google service account to use for this host; null for Application Default Credentials.</summary>
    public string? GoogleKeyFile { get; init; }

    public string? CaFile { get; init; }
    public bool PlainHttp { get; init; }
    public bool InsecureSkipTlsVerify { get; init; }
    public int? MaxConcurrency { get; init; }
    public double? RequestsPerSecond { get; init; }

    /// <summary>How missing ECR repositories are created; null for the defaults.</summary>
    public CreateRepositoriesOptions? CreateRepositories { get; init; }
}

internal enum RegistryAuth
{
    Anonymous,
    Basic,
    DockerConfig,
    Ecr,
    Google,
    Azure,
}

/// <summary>Where a secret is read from each time it is needed: an environment variable or a file.</summary>
internal sealed record SecretSource(string? Environment, string? File);

/// <summary>
/// How a missing ECR repository is created
/// (<see href="https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_CreateRepository.html"/>).
/// </summary>
internal sealed record CreateRepositoriesOptions
{
    public bool ScanOnPush { get; init; } = true;

    /// <summary>MUTABLE or IMMUTABLE.</summary>
    public string ImageTagMutability { get; init; } = "MUTABLE";

    /// <summary>AES256 or KMS.</summary>
    public string EncryptionType { get; init; } = "AES256";
    public string? KmsKey { get; init; }
    public IReadOnlyDictionary<string, string> Tags { get; init; } = new Dictionary<string, string>();

    /// <summary>The lifecycle policy's JSON text, or null.</summary>
    public string? LifecyclePolicy { get; init; }

    /// <summary>The repository policy's JSON text, or null.</summary>
    public string? RepositoryPolicy { get; init; }
}
