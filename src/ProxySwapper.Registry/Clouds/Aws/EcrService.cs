using Amazon;
using Amazon.Runtime;
using Amazon.Runtime.Credentials.Internal;
using Amazon.Runtime.Endpoints;
using Amazon.Runtime.Internal;
using Amazon.Runtime.Internal.Auth;

namespace ProxySwapper.Registry.Clouds.Aws;

/// <summary>The service for the SDK, with the SDK's retries, signatures and endpoint overrides.</summary>
internal sealed class EcrService(EcrHost host, AWSCredentials credentials)
    : AmazonServiceClient(credentials, new EcrServiceConfiguration(host))
{
    private readonly InvokeOptions _options = new()
    {
        RequestMarshaller = new EcrCallMarshaller(host.IsPublic ? "ecr-public" : "ecr"),
        ResponseUnmarshaller = new EcrResponseUnmarshaller(),
    };

    public Task<EcrResponse> CallAsync(EcrCall call, CancellationToken cancellationToken) =>
        InvokeAsync<EcrResponse>(call, _options, cancellationToken);

    protected override void CustomizeRuntimePipeline(RuntimePipeline pipeline) => pipeline.AddHandlerAfter<Marshaller>(new Signing());

    /// <summary>Configures the signer like a generated client.</summary>
    private sealed class Signing : BaseAuthResolverHandler
    {
        public override Task<T> InvokeAsync<T>(IExecutionContext executionContext)
        {
            var request = executionContext.RequestContext.Request;
            var configuration = (EcrServiceConfiguration)executionContext.RequestContext.ClientConfig;
            request.Endpoint = new Uri(configuration.ServiceURL ?? configuration.Host.ApiEndpoint.AbsoluteUri);
            request.AuthenticationRegion = configuration.Host.Region;
            return base.InvokeAsync<T>(executionContext);
        }

        protected override List<IAuthSchemeOption> ResolveAuthOptions(IExecutionContext executionContext) => AuthSchemeOption.DEFAULT_SIGV4;
    }
}

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
