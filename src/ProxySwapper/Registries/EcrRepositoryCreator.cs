using System.Net;
using Amazon.Runtime;
using ProxySwapper.Configuration;
using ProxySwapper.Registry;
using ProxySwapper.Registry.Clouds.Aws;
using ProxySwapper.Registry.Credentials;
using ProxySwapper.Registry.Transport;

namespace ProxySwapper.Registries;

/// <summary>
/// Makes the repositories that a push to ECR finds missing: ECR makes none itself
/// (<see href="https://docs.aws.amazon.com/AmazonECR/latest/userguide/repository-create.html"/>). Its API is asked for nothing as long as
/// pushes succeed.
/// </summary>
internal sealed partial class EcrRepositoryCreator
{
    /// <summary>Marks the repositories that were made here, for whoever cleans up.</summary>
    public const string MarkKey = "created-by";
    public const string MarkValue = "proxyswapper";

    private readonly Func<IReadOnlyList<RegistryEntryOptions>> _registries;
    private readonly Func<EcrHost, string?, CancellationToken, Task<EcrClient?>> _findClient;
    private readonly ILogger<EcrRepositoryCreator> _logger;

    /// <param name="registries">The entries of the configuration that is in force.</param>
    /// <param name="time">The clock.</param>
    /// <param name="logger">The log.</param>
    public EcrRepositoryCreator(
        Func<IReadOnlyList<RegistryEntryOptions>> registries,
        TimeProvider time,
        ILogger<EcrRepositoryCreator> logger
    )
        : this(registries, (host, profile, cancellationToken) => EcrClient.FindAsync(host, profile, time, cancellationToken), logger) { }

    internal EcrRepositoryCreator(
        Func<IReadOnlyList<RegistryEntryOptions>> registries,
        Func<EcrHost, string?, CancellationToken, Task<EcrClient?>> findClient,
        ILogger<EcrRepositoryCreator> logger
    ) => (_registries, _findClient, _logger) = (registries, findClient, logger);

    /// <summary>True for a private registry of Amazon's, by its name or by the configuration.</summary>
    public bool IsEcr(string registry) => HostOf(registry, EntryOf(registry)) is not null;

    /// <summary>Makes the repository that an image is to be pushed to; false when the registry is none in which that can be done.</summary>
    /// <exception cref="RegistryException">
    /// ECR refused, or could not be asked; the message names the permission where one is missing.
    /// </exception>
    /// <exception cref="RegistryCredentialException">There is no AWS identity here.</exception>
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
                ?? throw new RegistryCredentialException($"ecr: there is no AWS identity here that could make {target.Name}");
            if (await TryCreateAsync(client, target, options, cancellationToken))
                await SetPoliciesAsync(client, host, target, options, cancellationToken);
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
                $"ECR has no such repository, and it cannot be made: {fault.Message}{PermissionFor(fault, host, target)}",
                fault
            )
            {
                IsTransient = fault.IsTransient,
            };
        }
        catch (AmazonClientException fault)
        {
            throw new RegistryCredentialException($"ecr: no AWS identity that could make {target.Name}: {fault.Message}", fault);
        }
    }

    /// <summary>False when another process was faster, which is as good: its policies are the same.</summary>
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

    /// <summary>A repository without its policies takes images all the same: the copy goes on, and somebody is told.</summary>
    private async Task SetPoliciesAsync(
        EcrClient client,
        EcrHost host,
        ImageReference target,
        CreateRepositoriesOptions options,
        CancellationToken cancellationToken
    )
    {
        if (options.LifecyclePolicy is { } lifecycle)
            await SetAsync(client.PutLifecyclePolicyAsync(target.Repository, lifecycle, cancellationToken));
        if (options.RepositoryPolicy is { } access)
            await SetAsync(client.SetRepositoryPolicyAsync(target.Repository, access, cancellationToken));

        async Task SetAsync(Task setting)
        {
            try
            {
                await setting;
            }
            catch (EcrException fault)
            {
                Log.NoPolicy(_logger, target.Name, fault.Message + PermissionFor(fault, host, target));
            }
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
        // Whoever makes a repository with tags needs the right to set them as well; ours always has one.
        var actions = fault.Operation == "CreateRepository" ? "ecr:CreateRepository and ecr:TagResource" : $"ecr:{fault.Operation}";
        return $"; the AWS identity of this process needs {actions} on "
            + $"arn:{partition}:ecr:{host.Region}:"
            + $"{(string.IsNullOrEmpty(host.Account) ? "*" : host.Account)}:repository/{target.Repository}";
    }

    private RegistryEntryOptions? EntryOf(string registry) =>
        _registries().FirstOrDefault(entry => entry.Host.Equals(registry, StringComparison.OrdinalIgnoreCase));

    private static EcrHost? HostOf(string registry, RegistryEntryOptions? entry) =>
        EcrHost.Parse(registry, entry?.Auth is RegistryAuth.Ecr || entry?.CreateRepositories is not null ? entry.Region : null)
            is { IsPublic: false } host
            ? host
            : null;

    private static partial class Log
    {
        [LoggerMessage(1, LogLevel.Information, "Made the repository {Repository} ({Arn})")]
        public static partial void Created(ILogger logger, string repository, string arn);

        [LoggerMessage(2, LogLevel.Warning, "The new repository {Repository} lacks a policy: {Reason}")]
        public static partial void NoPolicy(ILogger logger, string repository, string reason);
    }
}
