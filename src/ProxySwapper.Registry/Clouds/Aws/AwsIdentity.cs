using System.Diagnostics.CodeAnalysis;
using Amazon.Runtime;
using Amazon.Runtime.Credentials;
using Amazon.SecurityToken;

namespace ProxySwapper.Registry.Clouds.Aws;

/// <summary>
/// Who this process is at AWS: the SDK's own chain (environment, IRSA, profile, EKS Pod Identity and ECS, instance), or one named profile
/// (<see href="https://docs.aws.amazon.com/sdk-for-net/v4/developer-guide/creds-assign.html">credential and profile resolution</see>).
/// </summary>
public static class AwsIdentity
{
    /// <summary>On a machine that is none of Amazon's, the address of the instance's metadata may never answer.</summary>
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(5);

    /// <summary>The identity, which renews itself; null when there is none here.</summary>
    /// <param name="host">The registry that it is for.</param>
    /// <param name="profile">A profile of the AWS configuration files, or null for the chain.</param>
    /// <param name="time">The clock.</param>
    /// <param name="cancellationToken">Ends the search.</param>
    /// <exception cref="AmazonClientException">The profile that is named, here or by <c>AWS_PROFILE</c>, is missing or broken.</exception>
    // The SDK makes the client that assumes roles by reflection, with credentials that nobody but it knows.
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
        try
        {
            // The SDK reads files and may ask the network before it first awaits.
            return await Task.Run(
                    () => DefaultAWSCredentialsIdentityResolver.GetCredentialsAsync(new EcrServiceConfiguration(host, profile)),
                    cancellationToken
                )
                .WaitAsync(Deadline, time, cancellationToken);
        }
        catch (TimeoutException)
        {
            return null;
        }
        catch (AmazonClientException) when (profile is null && string.IsNullOrEmpty(Environment.GetEnvironmentVariable("AWS_PROFILE")))
        {
            return null;
        }
    }
}
