using System.Net;
using Amazon.Runtime;
using ProxySwapper.Configuration;
using ProxySwapper.Registry;
using ProxySwapper.Registry.Clouds.Aws;
using ProxySwapper.Registry.Credentials;
using ProxySwapper.Registry.Transport;

namespace ProxySwapper.Registries;

/// <summary>
/// Creates the ECR repositories that a push finds missing: ECR creates none by itself
/// (<see href="https://docs.aws.amazon.com/AmazonECR/latest/userguide/repository-create.html"/>). Its API is not called while pushes
/// succeed.
/// </summary>
internal sealed partial class EcrRepositoryCreator
{
    /// <summary>Tags the repositories created here, so that they can be found for cleaning up.</summary>
    public const string MarkKey = "created-by";
    public const string MarkValue = "proxyswapper";

    private readonly Func<IReadOnlyList<RegistryEntryOptions>> _registries;
    private readonly Func<EcrHost, string?, CancellationToken, Task<EcrClient?>> _findClient;
    private readonly ILogger<EcrRepositoryCreator> _logger;
    private readonly EcrPolicies _policies;

    /// <param name="registries">The entries of the current configuration.</param>
    /// <param name="time">The clock.</param>
    /// <param name="logger">The log.</param>
    public EcrRepositoryCreator(
        Func<IReadOnlyList<RegistryEntryOptions>> registries,
        TimeProvider time,
        ILogger<EcrRepositoryCreator> logger
    )
        : this(registries, (host, profile, cancellationToken) => EcrClient.FindAsync(host, profile, time, cancellationToken), logger, time)
    { }

    internal EcrRepositoryCreator(
        Func<IReadOnlyList<RegistryEntryOptions>> registries,
        Func<EcrHost, string?, CancellationToken, Task<EcrClient?>> findClient,
        ILogger<EcrRepositoryCreator> logger,
        TimeProvider time
    )
    {
        (_registries, _findClient, _logger) = (registries, findClient, logger);
        _policies = new EcrPolicies(
            time,
            (fault, target) => HostOf(target.Registry, EntryOf(target.Registry)) is { } host ? PermissionFor(fault, host, target) : "",
            logger
        );
    }

    /// <summary>True for a private registry of Amazon's, by its name or by the configuration.</summary>
    public bool IsEcr(RegistryName registry) => HostOf(registry, EntryOf(registry)) is not null;

    /// <summary>Creates the repository that an image is pushed to; false when the registry does not support that.</summary>
    /// <exception cref="RegistryException">
    /// ECR returned an error or could not be reached; the message names the permission where one is missing.
    /// </exception>
    /// <exception cref="RegistryCredentialException">No AWS identity was found.</exception>
    public async ValueTask<bool> CreateAsync(ImageReference target, CancellationToken cancellationToken)
    {
        var entry = EntryOf(target.Registry);
        if (HostOf(target.Registry, entry) is not { } host)
            return false;
        var options = entry?.CreateRepositories ?? new CreateRepositoriesOptions();
        try
        {
            using var client =
                await _findClient(host, entry?.AwsProfile, cancellationToken)
                ?? throw new RegistryCredentialException($"ecr: no AWS identity found to create {target.Name}");
            var isNew = await TryCreateAsync(client, target, options, cancellationToken);
            // One that exists already may be ours all the same: the response to an earlier call may have been lost.
            if (isNew && _policies.IsDue(target, options))
                await _policies.SetAsync(client, target, options, cancellationToken);
            else
                await ReconcileAsync(client, target, options, cancellationToken);
            return true;
        }
        catch (EcrException fault)
        {
            throw new RegistryException(
                HttpMethod.Post,
                target.Registry,
                target.Repository,
                fault.Status ?? HttpStatusCode.BadGateway,
                [],
                $"the repository does not exist in ECR and cannot be created: {fault.Message}{PermissionFor(fault, host, target)}",
                fault
            )
            {
                IsTransient = fault.IsTransient,
            };
        }
        catch (AmazonClientException fault)
        {
            throw new RegistryCredentialException($"ecr: no AWS identity found to create {target.Name}: {fault.Message}", fault);
        }
    }

    /// <summary>
    /// Sets the policies of the configuration at an existing repository that was created here, as its tag <see cref="MarkKey"/> shows;
    /// once for each repository and configuration. Never throws for an error of ECR.
    /// </summary>
    public async Task ReconcileAsync(ImageReference target, CancellationToken cancellationToken)
    {
        var entry = EntryOf(target.Registry);
        if (
            entry?.CreateRepositories is not { } options
            || HostOf(target.Registry, entry) is not { } host
            || !_policies.IsDue(target, options)
        )
            return;
        try
        {
            using var client = await _findClient(host, entry.AwsProfile, cancellationToken);
            if (client is not null)
                await ReconcileAsync(client, target, options, cancellationToken);
        }
        catch (AmazonClientException fault)
        {
            Log.NotReconciled(_logger, target.Name, fault.Message);
        }
    }

    private async Task ReconcileAsync(
        EcrClient client,
        ImageReference target,
        CreateRepositoriesOptions options,
        CancellationToken cancellationToken
    )
    {
        if (!_policies.IsDue(target, options))
            return;
        try
        {
            if (await _policies.IsOursAsync(client, target, options, cancellationToken))
                await _policies.SetAsync(client, target, options, cancellationToken);
            else
                _policies.Remember(target, options);
        }
        catch (EcrException fault)
        {
            _policies.NotSet(target, fault);
        }
    }

    /// <summary>False if it exists already.</summary>
    private async Task<bool> TryCreateAsync(
        EcrClient client,
        ImageReference target,
        CreateRepositoriesOptions options,
        CancellationToken cancellationToken
    )
    {
        try
        {
            var repository = await client.CreateRepositoryAsync(
                target.Repository,
                new EcrRepositorySettings
                {
                    ScanOnPush = options.ScanOnPush,
                    ImageTagMutability = options.ImageTagMutability,
                    EncryptionType = options.EncryptionType,
                    KmsKey = options.KmsKey,
                    Tags = options.Tags.Append(new(MarkKey, MarkValue)).DistinctBy(tag => tag.Key).ToDictionary(),
                },
                cancellationToken
            );
            Log.Created(_logger, target.Name, repository.Arn);
            return true;
        }
        catch (EcrException fault) when (fault.Code == "RepositoryAlreadyExistsException")
        {
            return false;
        }
    }

    private static string PermissionFor(EcrException fault, EcrHost host, ImageReference target)
    {
        if (!fault.IsAccessDenied)
            return "";
        var partition =
            host.Region.StartsWith("cn-", StringComparison.Ordinal) ? "aws-cn"
            : host.Region.StartsWith("us-gov-", StringComparison.Ordinal) ? "aws-us-gov"
            : "aws";
        // Creating a repository with tags also needs the right to set them, and ours always has one.
        var actions = fault.Operation == "CreateRepository" ? "ecr:CreateRepository and ecr:TagResource" : $"ecr:{fault.Operation}";
        return $"; the AWS identity of this process needs {actions} on "
            + $"arn:{partition}:ecr:{host.Region}:"
            + $"{(string.IsNullOrEmpty(host.Account) ? "*" : host.Account)}:repository/{target.Repository}";
    }

    private RegistryEntryOptions? EntryOf(RegistryName registry) => _registries().FirstOrDefault(entry => entry.Host == registry);

    private static EcrHost? HostOf(RegistryName registry, RegistryEntryOptions? entry) =>
        EcrHost.Parse(registry, entry?.Auth is RegistryAuth.Ecr || entry?.CreateRepositories is not null ? entry.Region : null)
            is { IsPublic: false } host
            ? host
            : null;

    private static partial class Log
    {
        [LoggerMessage(1, LogLevel.Information, "Created the repository {Repository} ({Arn})")]
        public static partial void Created(ILogger logger, string repository, string arn);

        [LoggerMessage(3, LogLevel.Warning, "The policies of {Repository} are not checked: {Reason}")]
        public static partial void NotReconciled(ILogger logger, string repository, string reason);
    }
}
