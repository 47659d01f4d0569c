using System.Net;
using System.Text.Json;
using Amazon.Runtime;
using Amazon.Runtime.Internal.Transform;

namespace ProxySwapper.Registry.Clouds.Aws;

/// <summary>Reads a response, or an error, whose code the SDK's retries depend on.</summary>
internal sealed class EcrResponseUnmarshaller : JsonResponseUnmarshaller
{
    private const int MaximumResponseBytes = 4 * 1024 * 1024;

    public override AmazonWebServiceResponse Unmarshall(JsonUnmarshallerContext input) => new EcrResponse { Body = Read(input.Stream) };

    public override AmazonServiceException UnmarshallException(
        JsonUnmarshallerContext input,
        Exception innerException,
        HttpStatusCode statusCode
    )
    {
        var code = input.ResponseData.GetHeaderValue("x-amzn-ErrorType");
        var message = "";
        try
        {
            using var body = JsonDocument.Parse(Read(input.Stream));
            if (string.IsNullOrEmpty(code))
                code = Text(body.RootElement, "__type");
            message = Text(body.RootElement, "message") is { Length: > 0 } text ? text : Text(body.RootElement, "Message");
        }
        catch (Exception fault) when (fault is JsonException or InvalidOperationException)
        {
            // A proxy may respond in HTML; the status is enough.
        }
        return new AmazonServiceException(
            message,
            innerException,
            ErrorType.Unknown,
            Shorten(code),
            input.ResponseData.GetHeaderValue("x-amzn-RequestId"),
            statusCode
        );
    }

    /// <summary><c>com.amazonaws.ecr#RepositoryNotFoundException:http://…</c> is a RepositoryNotFoundException.</summary>
    private static string Shorten(string? code)
    {
        if (string.IsNullOrEmpty(code))
            return "UnknownError";
        var end = code.IndexOf(':', StringComparison.Ordinal) is >= 0 and var colon ? code[..colon] : code;
        return end[(end.LastIndexOf('#') + 1)..];
    }

    private static string Text(JsonElement body, string name) =>
        body.ValueKind == JsonValueKind.Object && body.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String
            ? value.GetString()!
            : "";

    /// <summary>Reads to the end or up to a limit, beyond which the response is not valid anyway.</summary>
    private static ReadOnlyMemory<byte> Read(Stream stream)
    {
        using var bounded = new MemoryStream();
        var buffer = new byte[16 * 1024];
        while (bounded.Length < MaximumResponseBytes && stream.Read(buffer) is > 0 and var read)
            bounded.Write(buffer, 0, read);
        return bounded.GetBuffer().AsMemory(0, (int)bounded.Length);
    }
}
