using System.Diagnostics.CodeAnalysis;
using Amazon.Runtime;
using Amazon.Runtime.Credentials;
using Amazon.SecurityToken;
using ProxySwapper.Registry.Timing;

namespace ProxySwapper.Registry.Clouds.Aws;

/// <summary>
/// The AWS identity of this process: the SDK's own chain (environment, IRSA, profile, EKS Pod Identity and ECS, instance), or one named
/// profile (<see href="https://docs.aws.amazon.com/sdk-for-net/v4/developer-guide/creds-assign.html">credential and profile
/// resolution</see>).
/// </summary>
public static class AwsIdentity
{
    /// <summary>Outside AWS, the address of the instance metadata may never respond.</summary>
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(5);

    /// <summary>Finds the identity, which renews itself; null if there is none.</summary>
    /// <param name="host">The registry to authenticate to.</param>
    /// <param name="profile">A profile of the AWS configuration files, or null for the chain.</param>
    /// <param name="time">The clock.</param>
    /// <param name="cancellationToken">Cancels the search.</param>
    /// <exception cref="AmazonClientException">The profile, given here or by <c>AWS_PROFILE</c>, is missing or invalid.</exception>
    // The SDK creates the client that assumes roles by reflection, with internal credential types.
    [DynamicDependency(DynamicallyAccessedMemberTypes.PublicConstructors, typeof(AmazonSecurityTokenServiceClient))]
    [DynamicDependency(DynamicallyAccessedMemberTypes.PublicConstructors, typeof(AmazonSecurityTokenServiceConfig))]
    public static async Task<AWSCredentials?> FindAsync(
        EcrHost host,
        string? profile,
        TimeProvider time,
        CancellationToken cancellationToken
    )
    {
        ArgumentNullException.ThrowIfNull(host);
        using var timeout = new OperationTimeout(Timeout, time, cancellationToken);
        try
        {
            // The SDK reads files, and may use the network, before its first await.
            return await Task.Run(
                    () => DefaultAWSCredentialsIdentityResolver.GetCredentialsAsync(new EcrServiceConfiguration(host, profile)),
                    cancellationToken
                )
                .WaitAsync(timeout.Token);
        }
        catch (OperationCanceledException) when (timeout.HasPassed)
        {
            return null;
        }
        catch (AmazonClientException) when (profile is null && string.IsNullOrEmpty(Environment.GetEnvironmentVariable("AWS_PROFILE")))
        {
            return null;
        }
    }
}
