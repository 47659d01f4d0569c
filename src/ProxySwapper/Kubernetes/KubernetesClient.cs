using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using ProxySwapper.Kubernetes.Connection;

namespace ProxySwapper.Kubernetes;

/// <summary>
/// The API server's objects by path, as JSON: fields unknown to this program are never lost. Frequently used kinds have their own clients:
/// <see cref="PodClient"/>, <see cref="LeaseClient"/>, and <see cref="ResourceClient"/> for the rest.
/// </summary>
/// <param name="connection">How to connect.</param>
/// <param name="time">The clock.</param>
/// <param name="logger">Logs files of the connection that cannot be read again; null for no log.</param>
internal sealed class KubernetesClient(KubernetesConnection connection, TimeProvider time, ILogger? logger = null) : IDisposable
{
    /// <summary>How long a list may stall.</summary>
    private static readonly TimeSpan StallTimeout = TimeSpan.FromSeconds(30);

    private readonly ApiRequestSender _sender = new(connection, time, logger);

    /// <summary>The namespace of this process, or of the kubeconfig's context.</summary>
    public string Namespace => connection.Namespace;

    /// <inheritdoc cref="ApiRequestSender.ServerTime"/>
    public DateTimeOffset ServerTime => _sender.ServerTime;

    /// <summary>An object, or null when it (or its kind) does not exist.</summary>
    /// <param name="path">Such as <c>/api/v1/namespaces/default/configmaps/name</c>, with external names escaped.</param>
    /// <param name="cancellationToken">Cancels the call.</param>
    /// <exception cref="KubernetesException">The server returned an error or did not respond.</exception>
    public Task<JsonObject?> GetAsync(string path, CancellationToken cancellationToken) =>
        FindAsync(new ApiRequest(HttpMethod.Get, path), cancellationToken);

    /// <summary>Creates an object below a collection's path.</summary>
    public Task<JsonObject> PostAsync(string path, JsonObject body, CancellationToken cancellationToken) =>
        SendAsync(new ApiRequest(HttpMethod.Post, path) { Body = Bytes(body) }, cancellationToken);

    /// <summary>Creates an object below a collection's path, and returns the warnings of the response.</summary>
    public async Task<(JsonObject Object, IReadOnlyList<string> Warnings)> PostWithWarningsAsync(
        string path,
        JsonObject body,
        CancellationToken cancellationToken
    )
    {
        var warnings = new List<string>();
        var created = await SendAsync(new ApiRequest(HttpMethod.Post, path) { Body = Bytes(body) }, cancellationToken, warnings);
        return (created, warnings);
    }

    /// <summary>Replaces an object; with its <c>resourceVersion</c> in the body, only if it has not changed since.</summary>
    public Task<JsonObject> PutAsync(string path, JsonObject body, CancellationToken cancellationToken) =>
        SendAsync(new ApiRequest(HttpMethod.Put, path) { Body = Bytes(body) }, cancellationToken);

    /// <summary>Changes an object.</summary>
    /// <param name="path">The object's path.</param>
    /// <param name="kind">The format of <paramref name="patch"/>.</param>
    /// <param name="patch">The change.</param>
    /// <param name="cancellationToken">Cancels the call.</param>
    /// <returns>The object after the change.</returns>
    public Task<JsonObject> PatchAsync(string path, PatchKind kind, JsonNode patch, CancellationToken cancellationToken) =>
        SendAsync(
            new ApiRequest(HttpMethod.Patch, path)
            {
                Body = Bytes(patch),
                ContentType = kind switch
                {
                    PatchKind.Json => "application/json-patch+json",
                    PatchKind.Apply => "application/apply-patch+yaml",
                    _ => "application/merge-patch+json",
                },
            },
            cancellationToken
        );

    /// <summary>Removes an object; false if it did not exist.</summary>
    public Task<bool> DeleteAsync(string path, CancellationToken cancellationToken) => DeleteAsync(path, null, cancellationToken);

    /// <summary>Deletes an object if it is still the one that was read; false if it did not exist.</summary>
    /// <param name="path">The object's path.</param>
    /// <param name="preconditions">The <c>uid</c> and <c>resourceVersion</c> that it must have, or null; a mismatch is a conflict.</param>
    /// <param name="cancellationToken">Cancels the call.</param>
    public async Task<bool> DeleteAsync(string path, JsonObject? preconditions, CancellationToken cancellationToken)
    {
        var options = preconditions is null
            ? null
            : new JsonObject
            {
                ["kind"] = "DeleteOptions",
                ["apiVersion"] = "v1",
                ["preconditions"] = preconditions,
            };
        return await FindAsync(new ApiRequest(HttpMethod.Delete, path) { Body = Bytes(options) }, cancellationToken) is not null;
    }

    /// <summary>
    /// Reads one page of a list item by item. Items are passed on while the response is still arriving, so they must be handled quickly.
    /// </summary>
    /// <param name="path">The collection with its query string.</param>
    /// <param name="item">Extracts what is needed from an item; the element is not valid afterwards.</param>
    /// <param name="cancellationToken">Cancels the call.</param>
    /// <returns>The resource version of the list, and the token of the next page or null.</returns>
    /// <exception cref="KubernetesException">The server returned an error or no list, or closed the connection early.</exception>
    public async Task<(string ResourceVersion, string? Continue)> ReadListAsync(
        string path,
        Action<JsonElement> item,
        CancellationToken cancellationToken
    )
    {
        using var response = await OpenAsync(path, StallTimeout, cancellationToken);
        var reader = new ListReader(response, item);
        await reader.ReadAsync();
        return (reader.ResourceVersion, reader.Continue);
    }

    /// <summary>Sends a GET and returns the response as a stream.</summary>
    /// <param name="path">Path and query string.</param>
    /// <param name="limit">How long one read may take.</param>
    /// <param name="cancellationToken">Cancels this call and every read.</param>
    /// <exception cref="KubernetesException">The server returned an error or did not respond.</exception>
    public Task<StreamedResponse> OpenAsync(string path, TimeSpan limit, CancellationToken cancellationToken) =>
        StreamedResponse.OpenAsync(_sender, path, limit, time, cancellationToken);

    /// <summary>Connects to a port of a Pod, as <c>kubectl port-forward</c> does.</summary>
    /// <param name="namespace">The Pod's namespace.</param>
    /// <param name="pod">The Pod.</param>
    /// <param name="port">The port, which need not be one that the Pod declares.</param>
    /// <param name="cancellationToken">Cancels the call.</param>
    /// <exception cref="KubernetesException">The server returned an error or did not respond.</exception>
    public async Task<Stream> ForwardAsync(string @namespace, string pod, int port, CancellationToken cancellationToken)
    {
        var path = string.Create(CultureInfo.InvariantCulture, $"{ResourceType.Pods.ObjectPath(@namespace, pod)}/portforward?ports={port}");
        return new PortForwardStream(await WebSocketUpgrade.OpenAsync(_sender, path, PortForwardStream.Protocol, cancellationToken));
    }

    public void Dispose() => _sender.Dispose();

    private async Task<JsonObject?> FindAsync(ApiRequest request, CancellationToken cancellationToken)
    {
        try
        {
            return await SendAsync(request, cancellationToken);
        }
        catch (KubernetesException problem) when (problem.Status == System.Net.HttpStatusCode.NotFound)
        {
            return null;
        }
    }

    private async Task<JsonObject> SendAsync(ApiRequest request, CancellationToken cancellationToken, List<string>? warnings = null)
    {
        using var response = await _sender.SendAsync(request, cancellationToken);
        // RFC 7234 §5.5, a quoted text.
        warnings?.AddRange(
            response.Headers.Warning.Select(warning => warning.Text.Trim('"').Replace("\\\"", "\"", StringComparison.Ordinal))
        );
        try
        {
            var body = await response.Content.ReadAsStreamAsync(cancellationToken);
            return await JsonNode.ParseAsync(body, documentOptions: JsonFields.Strict, cancellationToken: cancellationToken) as JsonObject
                ?? throw new KubernetesException(request, response.StatusCode, null, "the response is not a JSON object");
        }
        catch (JsonException problem)
        {
            throw new KubernetesException(request, response.StatusCode, null, "the response is not JSON", problem);
        }
    }

    private static byte[]? Bytes(JsonNode? body) => body is null ? null : Encoding.UTF8.GetBytes(body.ToJsonString());
}
