using Amazon.Runtime;
using Amazon.Runtime.Internal;
using Amazon.Runtime.Internal.Transform;

namespace ProxySwapper.Registry.Clouds.Aws;

/// <summary>One call in the SDK's terms: an operation and its JSON body (protocol AWS JSON 1.1).</summary>
internal sealed class EcrCall(string target, byte[] body) : AmazonWebServiceRequest
{
    public string Target => target;

    public byte[] Body => body;
}

/// <summary>The JSON of the response.</summary>
internal sealed class EcrResponse : AmazonWebServiceResponse
{
    public ReadOnlyMemory<byte> Body { get; init; }
}

/// <summary>Creates the HTTP request of a call.</summary>
internal sealed class EcrCallMarshaller(string serviceName) : IMarshaller<IRequest, AmazonWebServiceRequest>
{
    public IRequest Marshall(AmazonWebServiceRequest input)
    {
        var call = (EcrCall)input;
        var request = new DefaultRequest(call, serviceName)
        {
            HttpMethod = "POST",
            ResourcePath = "/",
            Content = call.Body,
            OverrideSigningServiceName = serviceName,
        };
        request.Headers["Content-Type"] = "application/x-amz-json-1.1";
        request.Headers["X-Amz-Target"] = call.Target;
        return request;
    }
}
