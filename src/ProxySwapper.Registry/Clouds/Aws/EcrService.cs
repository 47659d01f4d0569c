using Amazon.Runtime;
using Amazon.Runtime.Credentials.Internal;
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
