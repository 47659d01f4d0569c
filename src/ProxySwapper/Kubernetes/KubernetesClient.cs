using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace ProxySwapper.Kubernetes;

/// <summary>
/// The few calls that we make, by path, over objects as they came: what this program does not know of an object is never lost.
/// </summary>
internal sealed class KubernetesClient(KubernetesConnection connection, TimeProvider time) : IDisposable
{
    /// <summary>The largest answer that is read, in bytes.</summary>
    private const int MaximumAnswer = 64 * 1024 * 1024;

    /// <summary>How often a server that is overloaded is asked again.</summary>
    private const int MaximumRetries = 4;

    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(10);

    private readonly KubernetesTransport _transport = new(connection, time);

    /// <summary>The namespace of this process, or of the kubeconfig's context.</summary>
    public string Namespace => connection.Namespace;

    /// <summary>An object, or null when it (or its kind) is not there.</summary>
    /// <param name="path">For instance <c>/api/v1/namespaces/default/configmaps/name</c>, escaped where names come from outside.</param>
    /// <param name="cancellationToken">Ends the call.</param>
    /// <exception cref="KubernetesException">The server refused or did not answer.</exception>
    public async Task<JsonObject?> GetAsync(string path, CancellationToken cancellationToken)
    {
        try
        {
            return await SendAsync(HttpMethod.Get, path, null, "", cancellationToken);
        }
        catch (KubernetesException fault) when (fault.Status == HttpStatusCode.NotFound)
        {
            return null;
        }
    }

    /// <summary>An answer to read from and dispose: for lists, which are large.</summary>
    public async Task<JsonDocument> GetDocumentAsync(string path, CancellationToken cancellationToken)
    {
        using var response = await AnswerAsync(HttpMethod.Get, path, null, "", cancellationToken);
        return await ParseAsync(response, path, cancellationToken);
    }

    /// <summary>Makes an object below a collection's path.</summary>
    public Task<JsonObject> PostAsync(string path, JsonObject body, CancellationToken cancellationToken) =>
        SendAsync(HttpMethod.Post, path, body, "application/json", cancellationToken);

    /// <summary>Replaces an object; with its <c>resourceVersion</c> in the body, only when nobody changed it meanwhile.</summary>
    public Task<JsonObject> PutAsync(string path, JsonObject body, CancellationToken cancellationToken) =>
        SendAsync(HttpMethod.Put, path, body, "application/json", cancellationToken);

    public Task<JsonObject> PatchAsync(string path, PatchKind kind, JsonNode patch, CancellationToken cancellationToken) =>
        SendAsync(
            HttpMethod.Patch,
            path,
            patch,
            kind switch
            {
                PatchKind.Json => "application/json-patch+json",
                PatchKind.Merge => "application/merge-patch+json",
                _ => "application/strategic-merge-patch+json",
            },
            cancellationToken
        );

    /// <summary>Removes an object; false when it was not there.</summary>
    public Task<bool> DeleteAsync(string path, CancellationToken cancellationToken) => DeleteAsync(path, null, cancellationToken);

    /// <summary>Removes an object if it still is the one that was seen; false when it was not there.</summary>
    /// <param name="path">The object's path.</param>
    /// <param name="preconditions">The <c>uid</c> and <c>resourceVersion</c> that it must have, or null; another one is a conflict.</param>
    /// <param name="cancellationToken">Ends the call.</param>
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
        try
        {
            await SendAsync(HttpMethod.Delete, path, options, "application/json", cancellationToken);
            return true;
        }
        catch (KubernetesException fault) when (fault.Status == HttpStatusCode.NotFound)
        {
            return false;
        }
    }

    public void Dispose() => _transport.Dispose();

    private async Task<JsonObject> SendAsync(
        HttpMethod method,
        string path,
        JsonNode? body,
        string contentType,
        CancellationToken cancellationToken
    )
    {
        using var response = await AnswerAsync(method, path, body, contentType, cancellationToken);
        using var document = await ParseAsync(response, path, cancellationToken);
        return document.RootElement.ValueKind == JsonValueKind.Object
            ? JsonObject.Create(document.RootElement.Clone())!
            : throw new KubernetesException(method, path, response.StatusCode, null, "the answer is no object");
    }

    private static async Task<JsonDocument> ParseAsync(HttpResponseMessage response, string path, CancellationToken cancellationToken)
    {
        try
        {
            return await JsonDocument.ParseAsync(await response.Content.ReadAsStreamAsync(cancellationToken), default, cancellationToken);
        }
        catch (JsonException fault)
        {
            throw new KubernetesException(response.RequestMessage!.Method, path, response.StatusCode, null, "the answer is no JSON", fault);
        }
    }

    /// <summary>An answer of success, its body read.</summary>
    private async Task<HttpResponseMessage> AnswerAsync(
        HttpMethod method,
        string path,
        JsonNode? body,
        string contentType,
        CancellationToken cancellationToken
    )
    {
        var payload = body is null ? null : Encoding.UTF8.GetBytes(body.ToJsonString());
        var refused = false;
        for (var attempt = 0; ; attempt++)
        {
            var response = await TryAsync(method, path, payload, contentType, refused, cancellationToken);
            if (response.IsSuccessStatusCode)
                return response;
            using (response)
            {
                if (response.StatusCode == HttpStatusCode.Unauthorized && !refused)
                {
                    refused = true;
                    continue;
                }
                // The server sends Retry-After exactly when it did not process the request, so any method may be sent again.
                if (PauseOf(response) is not { } pause || attempt >= MaximumRetries)
                    throw await FaultAsync(method, path, response, cancellationToken);
                await Task.Delay(pause, time, cancellationToken);
            }
        }
    }

    private async Task<HttpResponseMessage> TryAsync(
        HttpMethod method,
        string path,
        byte[]? payload,
        string contentType,
        bool refused,
        CancellationToken cancellationToken
    )
    {
        using var deadline = new CancellationTokenSource(Timeout, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(deadline.Token, cancellationToken);
        try
        {
            var credential = await connection.Credentials.GetAsync(refused, either.Token);
            var invoker = await _transport.GetAsync(credential.ClientCertificate, either.Token);
            using var request = Request(method, path, payload, contentType, credential);
            var response = await invoker.SendAsync(request, either.Token);
            await response.Content.LoadIntoBufferAsync(MaximumAnswer, either.Token);
            return response;
        }
        catch (Exception fault) when (fault is HttpRequestException or IOException)
        {
            throw new KubernetesException(method, path, null, null, fault.InnerException?.Message ?? fault.Message, fault);
        }
        catch (OperationCanceledException fault) when (!cancellationToken.IsCancellationRequested)
        {
            throw new KubernetesException(method, path, null, null, $"nothing within {Timeout.TotalSeconds} s", fault);
        }
    }

    private HttpRequestMessage Request(HttpMethod method, string path, byte[]? payload, string contentType, KubernetesCredential credential)
    {
        var request = new HttpRequestMessage(method, new Uri(connection.Server.AbsoluteUri.TrimEnd('/') + path));
        request.Headers.Authorization = credential.Authorization;
        request.Headers.Accept.Add(new MediaTypeWithQualityHeaderValue("application/json"));
        request.Headers.UserAgent.Add(new ProductInfoHeaderValue("proxyswapper", null));
        // .NET checks the certificate, and sends SNI, for the name in the Host header.
        if (connection.TlsServerName is { } name)
            request.Headers.Host = name;
        foreach (var (header, value) in connection.Impersonation)
            request.Headers.TryAddWithoutValidation(header, value);
        if (payload is not null)
            request.Content = new ByteArrayContent(payload) { Headers = { ContentType = new MediaTypeHeaderValue(contentType) } };
        return request;
    }

    private static TimeSpan? PauseOf(HttpResponseMessage response) =>
        response.StatusCode is HttpStatusCode.TooManyRequests or >= HttpStatusCode.InternalServerError
        && response.Headers.RetryAfter?.Delta is { } delta
            ? delta < LongestPause
                ? delta
                : LongestPause
            : null;

    /// <summary>
    /// What a Status object says (<see href="https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/status/"/>).
    /// </summary>
    private static async Task<KubernetesException> FaultAsync(
        HttpMethod method,
        string path,
        HttpResponseMessage response,
        CancellationToken cancellationToken
    )
    {
        var text = await response.Content.ReadAsStringAsync(cancellationToken);
        try
        {
            if (JsonNode.Parse(text) is JsonObject status)
                return new KubernetesException(method, path, response.StatusCode, (string?)status["reason"], (string?)status["message"])
                {
                    Continue = (string?)status["metadata"]?["continue"],
                };
        }
        catch (Exception fault) when (fault is JsonException or InvalidOperationException)
        {
            // A proxy before the server answered with a page of its own.
        }
        return new KubernetesException(
            method,
            path,
            response.StatusCode,
            null,
            text.Length == 0 ? null : text[..Math.Min(text.Length, 300)].Trim()
        );
    }
}
