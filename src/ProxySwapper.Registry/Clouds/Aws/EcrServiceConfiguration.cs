using Amazon;
using Amazon.Runtime;
using Amazon.Runtime.Endpoints;
using Amazon.Runtime.Internal;

namespace ProxySwapper.Registry.Clouds.Aws;

/// <summary>The SDK's configuration of the service and client.</summary>
internal sealed class EcrServiceConfiguration : ClientConfig
{
    public EcrServiceConfiguration(EcrHost host, string? profile = null)
        : base(new StandardMode())
    {
        Host = host;
        // The names by which AWS_ENDPOINT_URL_… and `services` of the AWS configuration file override an endpoint.
        ServiceId = host.IsPublic ? "ECR PUBLIC" : "ECR";
        AuthenticationServiceName = host.IsPublic ? "ecr-public" : "ecr";
        AuthenticationRegion = host.Region;
        // The client cannot be created without one.
        RegionEndpoint = RegionEndpoint.GetBySystemName(host.Region);
        Timeout = TimeSpan.FromSeconds(15);
        ConnectTimeout = TimeSpan.FromSeconds(5);
        LogResponse = false;
        if (profile is not null)
            Profile = new Profile(profile);
    }

    public EcrHost Host { get; }

    public override string RegionEndpointServiceName => Host.IsPublic ? "api.ecr-public" : "api.ecr";

    public override string ServiceVersion => Host.IsPublic ? "2020-10-30" : "2015-09-21";

    public override string UserAgent => "proxyswapper";

    public override Endpoint DetermineServiceOperationEndpoint(ServiceOperationEndpointParameters parameters) =>
        new(ServiceURL ?? Host.ApiEndpoint.AbsoluteUri);

    private sealed class StandardMode : IDefaultConfigurationProvider
    {
        public IDefaultConfiguration GetDefaultConfiguration(
            RegionEndpoint clientRegion,
            DefaultConfigurationMode? requestedConfigurationMode
        ) => new DefaultConfiguration { Name = DefaultConfigurationMode.Standard, RetryMode = RequestRetryMode.Standard };
    }
}
