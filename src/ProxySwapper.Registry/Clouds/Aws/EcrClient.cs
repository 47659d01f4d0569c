using System.Buffers;
using System.Net;
using System.Text;
using System.Text.Json;
using Amazon.Runtime;

namespace ProxySwapper.Registry.Clouds.Aws;

/// <summary>
/// The required calls of Amazon's registry API: the authorization token, and repositories
/// (<see href="https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_Operations.html">Amazon ECR API Reference</see>). The SDK
/// signs requests, retries throttled ones, and honours <c>AWS_ENDPOINT_URL_ECR</c>.
/// </summary>
public sealed class EcrClient : IDisposable
{
    private readonly EcrHost _host;
    private readonly EcrService _service;

    /// <summary>Creates a client for one registry.</summary>
    /// <param name="host">The registry.</param>
    /// <param name="credentials">The identity; <see cref="AwsIdentity"/> finds it as the SDK does.</param>
    public EcrClient(EcrHost host, AWSCredentials credentials) => (_host, _service) = (host, new EcrService(host, credentials));

    /// <summary>Creates a client for one registry with the identity found by the SDK, or a profile; null without an AWS identity.</summary>
    /// <param name="host">The registry.</param>
    /// <param name="profile">A profile of the AWS configuration files, or null for the SDK's chain.</param>
    /// <param name="time">The clock.</param>
    /// <param name="cancellationToken">Cancels the search.</param>
    /// <exception cref="AmazonClientException">The profile, given here or by <c>AWS_PROFILE</c>, is missing or invalid.</exception>
    public static async Task<EcrClient?> FindAsync(EcrHost host, string? profile, TimeProvider time, CancellationToken cancellationToken) =>
        await AwsIdentity.FindAsync(host, profile, time, cancellationToken) is { } identity ? new EcrClient(host, identity) : null;

    /// <summary>Gets a password for the registry.</summary>
    /// <exception cref="EcrException">The call was rejected or failed.</exception>
    public async Task<EcrAuthorization> GetAuthorizationTokenAsync(CancellationToken cancellationToken)
    {
        const string operation = "GetAuthorizationToken";
        // The registry IDs are omitted, since AWS has deprecated them: a password is valid for everything the identity may access.
        return Read(
            operation,
            await CallAsync(operation, _ => { }, cancellationToken),
            body =>
            {
                // A list of one, except for the public registry.
                var data = body.GetProperty("authorizationData");
                if (data.ValueKind == JsonValueKind.Array)
                    data = data.EnumerateArray().First();
                var pair = Encoding.UTF8.GetString(data.GetProperty("authorizationToken").GetBytesFromBase64()).Split(':', 2);
                return new EcrAuthorization(
                    pair[0],
                    pair[1],
                    DateTimeOffset.UnixEpoch.AddSeconds(data.GetProperty("expiresAt").GetDouble())
                );
            }
        );
    }

    /// <summary>Creates a repository.</summary>
    /// <exception cref="EcrException">
    /// The call was rejected (<c>RepositoryAlreadyExistsException</c>: it was created concurrently) or failed.
    /// </exception>
    public async Task<EcrRepository> CreateRepositoryAsync(string name, EcrRepositorySettings settings, CancellationToken cancellationToken)
    {
        const string operation = "CreateRepository";
        ArgumentNullException.ThrowIfNull(settings);
        var response = await CallAsync(
            operation,
            json =>
            {
                WriteRegistry(json);
                json.WriteString("repositoryName", name);
                settings.Write(json);
            },
            cancellationToken
        );
        return Read(operation, response, body => EcrRepository.Read(body.GetProperty("repository")));
    }

    /// <summary>A repository, or null if it does not exist.</summary>
    /// <exception cref="EcrException">The call was rejected or failed.</exception>
    public async Task<EcrRepository?> FindRepositoryAsync(string name, CancellationToken cancellationToken)
    {
        const string operation = "DescribeRepositories";
        try
        {
            var response = await CallAsync(
                operation,
                json =>
                {
                    WriteRegistry(json);
                    json.WriteStartArray("repositoryNames");
                    json.WriteStringValue(name);
                    json.WriteEndArray();
                },
                cancellationToken
            );
            return Read(operation, response, body => body.GetProperty("repositories").EnumerateArray().Select(EcrRepository.Read).First());
        }
        catch (EcrException fault) when (fault.Code == "RepositoryNotFoundException")
        {
            return null;
        }
    }

    /// <summary>The tags of a resource.</summary>
    /// <param name="arn">The resource name of a repository.</param>
    /// <param name="cancellationToken">Cancels the call.</param>
    /// <exception cref="EcrException">The call was rejected or failed.</exception>
    public async Task<IReadOnlyDictionary<string, string>> ListTagsAsync(string arn, CancellationToken cancellationToken)
    {
        const string operation = "ListTagsForResource";
        var response = await CallAsync(operation, json => json.WriteString("resourceArn", arn), cancellationToken);
        return Read(
            operation,
            response,
            body =>
                body.GetProperty("tags")
                    .EnumerateArray()
                    .ToDictionary(tag => tag.GetProperty("Key").GetString()!, tag => tag.GetProperty("Value").GetString() ?? "")
        );
    }

    /// <summary>Sets a repository's lifecycle policy.</summary>
    /// <param name="name">The repository.</param>
    /// <param name="policy">The policy's JSON.</param>
    /// <param name="cancellationToken">Cancels the call.</param>
    /// <exception cref="EcrException">The call was rejected or failed.</exception>
    public Task PutLifecyclePolicyAsync(string name, string policy, CancellationToken cancellationToken) =>
        SetAsync("PutLifecyclePolicy", name, "lifecyclePolicyText", policy, cancellationToken);

    /// <summary>Sets a repository's access policy.</summary>
    /// <param name="name">The repository.</param>
    /// <param name="policy">The policy's JSON.</param>
    /// <param name="cancellationToken">Cancels the call.</param>
    /// <exception cref="EcrException">The call was rejected or failed.</exception>
    public Task SetRepositoryPolicyAsync(string name, string policy, CancellationToken cancellationToken) =>
        SetAsync("SetRepositoryPolicy", name, "policyText", policy, cancellationToken);

    /// <inheritdoc />
    public void Dispose() => _service.Dispose();

    private async Task SetAsync(string operation, string name, string key, string text, CancellationToken cancellationToken) =>
        await CallAsync(
            operation,
            json =>
            {
                WriteRegistry(json);
                json.WriteString("repositoryName", name);
                json.WriteString(key, text);
            },
            cancellationToken
        );

    private void WriteRegistry(Utf8JsonWriter json)
    {
        if (!string.IsNullOrEmpty(_host.Account))
            json.WriteString("registryId", _host.Account);
    }

    private async Task<ReadOnlyMemory<byte>> CallAsync(string operation, Action<Utf8JsonWriter> write, CancellationToken cancellationToken)
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
        catch (AmazonServiceException fault) when (fault.StatusCode != 0)
        {
            throw new EcrException(operation, fault.ErrorCode ?? "", fault.StatusCode, fault.Message, fault);
        }
        catch (Exception fault) when (fault is AmazonClientException or AmazonServiceException or HttpRequestException or IOException)
        {
            throw new EcrException(operation, "", null, ReasonOf(fault), fault);
        }
    }

    /// <summary>The innermost informative message: another service's error, such as for a role, or what broke the connection.</summary>
    private static string ReasonOf(Exception fault)
    {
        for (var inner = fault.InnerException; inner is not null; inner = inner.InnerException)
            if (inner is AmazonServiceException { StatusCode: not 0 } rejection)
                return $"{fault.Message.TrimEnd('.')}: {rejection.ErrorCode}: {rejection.Message}";
        return fault.GetBaseException().Message;
    }

    private static T Read<T>(string operation, ReadOnlyMemory<byte> response, Func<JsonElement, T> read)
    {
        try
        {
            using var document = JsonDocument.Parse(response);
            return read(document.RootElement);
        }
        catch (Exception fault)
            when (fault
                    is JsonException
                        or KeyNotFoundException
                        or InvalidOperationException
                        or FormatException
                        or IndexOutOfRangeException
                        or ArgumentException
            )
        {
            // The response is not quoted, since it may contain part of a password.
            throw new EcrException(operation, "", HttpStatusCode.OK, "the response does not have ECR's format");
        }
    }
}

/// <summary>A password for a registry, valid for at most twelve hours.</summary>
/// <param name="Username">Always <c>AWS</c>.</param>
/// <param name="Password">The password.</param>
/// <param name="ExpiresAt">When it expires.</param>
public sealed record EcrAuthorization(string Username, string Password, DateTimeOffset ExpiresAt)
{
    /// <inheritdoc />
    public override string ToString() => $"{Username}:*** until {ExpiresAt:u}";
}

/// <summary>A repository of ECR (<see href="https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_Repository.html"/>).</summary>
/// <param name="Name">Its name, with slashes.</param>
/// <param name="Arn">Its resource name.</param>
/// <param name="HasImmutableTags">True if existing tags cannot be moved.</param>
public sealed record EcrRepository(string Name, string Arn, bool HasImmutableTags)
{
    internal static EcrRepository Read(JsonElement repository) =>
        new(
            repository.GetProperty("repositoryName").GetString() ?? "",
            repository.GetProperty("repositoryArn").GetString() ?? "",
            repository.TryGetProperty("imageTagMutability", out var mutability)
                && mutability.GetString()?.StartsWith("IMMUTABLE", StringComparison.Ordinal) == true
        );
}
