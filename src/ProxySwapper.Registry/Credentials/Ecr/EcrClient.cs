using System.Buffers;
using System.Text;
using System.Text.Json;
using Amazon.Runtime;

namespace ProxySwapper.Registry.Credentials.Ecr;

/// <summary>
/// The calls of Amazon's registry API that are needed here: the token that opens a registry, and its repositories
/// (<see href="https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_Operations.html">Amazon ECR API Reference</see>). The SDK
/// signs, retries what is throttled, and takes <c>AWS_ENDPOINT_URL_ECR</c>.
/// </summary>
public sealed class EcrClient : IDisposable
{
    private readonly EcrHost _host;
    private readonly EcrService _service;

    /// <summary>A client for one registry.</summary>
    /// <param name="host">The registry.</param>
    /// <param name="credentials">Who asks; <see cref="AwsIdentity"/> finds it as the SDK does.</param>
    public EcrClient(EcrHost host, AWSCredentials credentials) => (_host, _service) = (host, new EcrService(host, credentials));

    /// <summary>A password for the registry.</summary>
    /// <exception cref="EcrException">It was refused, or could not be asked for.</exception>
    public async Task<EcrAuthorization> GetAuthorizationTokenAsync(CancellationToken cancellationToken)
    {
        const string operation = "GetAuthorizationToken";
        var body = await CallAsync(operation, json =>
        {
            if (string.IsNullOrEmpty(_host.Account)) return;
            json.WriteStartArray("registryIds");
            json.WriteStringValue(_host.Account);
            json.WriteEndArray();
        }, cancellationToken);
        return Answered(operation, () =>
        {
            // A list where registries could be named, one object in the public registry.
            var data = body.GetProperty("authorizationData");
            if (data.ValueKind == JsonValueKind.Array) data = data.EnumerateArray().First();
            var pair = Encoding.UTF8.GetString(data.GetProperty("authorizationToken").GetBytesFromBase64()).Split(':', 2);
            return new EcrAuthorization(pair[0], pair[1], DateTimeOffset.UnixEpoch.AddSeconds(data.GetProperty("expiresAt").GetDouble()));
        });
    }

    /// <summary>A repository, or null when there is none of that name.</summary>
    /// <exception cref="EcrException">It was refused, or could not be asked for.</exception>
    public async Task<EcrRepository?> FindRepositoryAsync(string name, CancellationToken cancellationToken)
    {
        const string operation = "DescribeRepositories";
        try
        {
            var body = await CallAsync(operation, json =>
            {
                WriteRegistry(json);
                json.WriteStartArray("repositoryNames");
                json.WriteStringValue(name);
                json.WriteEndArray();
            }, cancellationToken);
            return Answered(operation, () => body.GetProperty("repositories").EnumerateArray().Select(EcrRepository.Read).First());
        }
        catch (EcrException fault) when (fault.Code == "RepositoryNotFoundException")
        {
            return null;
        }
    }

    /// <summary>Makes a repository.</summary>
    /// <exception cref="EcrException">It was refused (<c>RepositoryAlreadyExistsException</c>: somebody was faster), or could not be asked for.</exception>
    public async Task<EcrRepository> CreateRepositoryAsync(string name, EcrRepositorySettings settings, CancellationToken cancellationToken)
    {
        const string operation = "CreateRepository";
        ArgumentNullException.ThrowIfNull(settings);
        var body = await CallAsync(operation, json =>
        {
            WriteRegistry(json);
            json.WriteString("repositoryName", name);
            settings.Write(json);
        }, cancellationToken);
        return Answered(operation, () => EcrRepository.Read(body.GetProperty("repository")));
    }

    /// <summary>Sets which images a repository drops by and by.</summary>
    /// <param name="name">The repository.</param>
    /// <param name="policy">The policy's JSON.</param>
    /// <param name="cancellationToken">Ends the call.</param>
    /// <exception cref="EcrException">It was refused, or could not be asked for.</exception>
    public Task PutLifecyclePolicyAsync(string name, string policy, CancellationToken cancellationToken) => SetAsync("PutLifecyclePolicy", name, "lifecyclePolicyText", policy, cancellationToken);

    /// <summary>Sets who else may use a repository.</summary>
    /// <param name="name">The repository.</param>
    /// <param name="policy">The policy's JSON.</param>
    /// <param name="cancellationToken">Ends the call.</param>
    /// <exception cref="EcrException">It was refused, or could not be asked for.</exception>
    public Task SetRepositoryPolicyAsync(string name, string policy, CancellationToken cancellationToken) => SetAsync("SetRepositoryPolicy", name, "policyText", policy, cancellationToken);

    /// <inheritdoc />
    public void Dispose() => _service.Dispose();

    private async Task SetAsync(string operation, string name, string key, string text, CancellationToken cancellationToken) => await CallAsync(operation, json =>
    {
        WriteRegistry(json);
        json.WriteString("repositoryName", name);
        json.WriteString(key, text);
    }, cancellationToken);

    private void WriteRegistry(Utf8JsonWriter json)
    {
        if (!string.IsNullOrEmpty(_host.Account)) json.WriteString("registryId", _host.Account);
    }

    private async Task<JsonElement> CallAsync(string operation, Action<Utf8JsonWriter> write, CancellationToken cancellationToken)
    {
        var body = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(body))
        {
            json.WriteStartObject();
            write(json);
            json.WriteEndObject();
        }
        var target = $"{(_host.IsPublic ? "SpencerFrontendService" : "AmazonEC2ContainerRegistry_V20150921")}.{operation}";
        try
        {
            return (await _service.CallAsync(new EcrCall(target, body.WrittenSpan.ToArray()), cancellationToken)).Body;
        }
        catch (AmazonServiceException fault)
        {
            throw fault.StatusCode == 0
                ? new EcrException(operation, "", null, fault.Message, fault)
                : new EcrException(operation, fault.ErrorCode ?? "", fault.StatusCode, fault.Message, fault);
        }
        catch (Exception fault) when (fault is AmazonClientException or HttpRequestException or IOException)
        {
            throw new EcrException(operation, "", null, fault.Message, fault);
        }
    }

    private static T Answered<T>(string operation, Func<T> read)
    {
        try
        {
            return read();
        }
        catch (Exception fault) when (fault is KeyNotFoundException or InvalidOperationException or FormatException or IndexOutOfRangeException or ArgumentOutOfRangeException)
        {
            // Of what came nothing is told: it may be half a password.
            throw new EcrException(operation, "", null, "the answer is not of the form that ECR has", null);
        }
    }
}
