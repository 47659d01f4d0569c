using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using ProxySwapper.Kubernetes.Connection;
using ProxySwapper.Registry.Timing;

namespace ProxySwapper.Kubernetes;

/// <summary>
/// Sends requests to the API server: with our credential, which is renewed once if the server rejects it, and with retries when an
/// overloaded server sends Retry-After.
/// </summary>
internal sealed class ApiRequestSender(KubernetesConnection connection, TimeProvider time, ILogger? logger) : IDisposable
{
    /// <summary>The largest buffered response, in bytes. The API server's own limit for one object is below 3 MiB.</summary>
    private const int MaximumBuffered = 16 * 1024 * 1024;

    /// <summary>The number of retries for an overloaded server.</summary>
    private const int MaximumRetries = 4;

    /// <summary>Before the first response.</summary>
    private const long UnknownEpoch = long.MinValue;

    private static readonly TimeSpan ResponseTimeout = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(10);

    private readonly KubernetesTransport _transport = new(connection, time, logger);

    // The server's clock at our timestamp zero, in ticks.
    private long _serverEpoch = UnknownEpoch;

    /// <summary>
    /// The server's clock, to a second: by the Date of its responses, whatever our clock is set to; before the first response, our clock.
    /// </summary>
    public DateTimeOffset ServerTime => ServerTimeAt(time.GetTimestamp());

    /// <summary>Sends a request and reads the whole response.</summary>
    /// <exception cref="KubernetesException">The server returned an error or did not respond within 30 s.</exception>
    /// <exception cref="KubernetesConnectionException">No usable credential was found.</exception>
    public Task<HttpResponseMessage> SendAsync(ApiRequest request, CancellationToken cancellationToken) =>
        SendAsync(request, isBuffered: true, cancellationToken);

    /// <summary>Sends a request whose response the caller reads as a stream; the headers must arrive within 30 s.</summary>
    /// <inheritdoc cref="SendAsync(ApiRequest, CancellationToken)"/>
    public Task<HttpResponseMessage> OpenAsync(ApiRequest request, CancellationToken cancellationToken) =>
        SendAsync(request, isBuffered: false, cancellationToken);

    public void Dispose() => _transport.Dispose();

    private async Task<HttpResponseMessage> SendAsync(ApiRequest request, bool isBuffered, CancellationToken cancellationToken)
    {
        var isUnauthorized = false;
        for (var attempt = 0; ; attempt++)
        {
            var response = await TryAsync(request, isBuffered, isUnauthorized, cancellationToken);
            if (IsAccepted(response))
                return response;
            using (response)
            {
                if (response.StatusCode == HttpStatusCode.Unauthorized && !isUnauthorized)
                {
                    isUnauthorized = true;
                    continue;
                }
                // The server sends Retry-After exactly when it did not process the request, so any method may be retried.
                if (PauseOf(response) is not { } pause || attempt >= MaximumRetries)
                    throw await ErrorAsync(request, response, cancellationToken);
                await Task.Delay(pause, time, cancellationToken);
            }
        }
    }

    private async Task<HttpResponseMessage> TryAsync(
        ApiRequest request,
        bool isBuffered,
        bool isUnauthorized,
        CancellationToken cancellationToken
    )
    {
        // It has a timeout of its own: a slow plugin is not a slow server.
        var credential = await connection.Credentials.GetAsync(isUnauthorized, cancellationToken);
        using var timeout = new OperationTimeout(ResponseTimeout, time, cancellationToken);
        try
        {
            var invoker = await _transport.GetAsync(credential.ClientCertificate, timeout.Token);
            using var message = Message(request, credential);
            var sent = time.GetTimestamp();
            var response = await invoker.SendAsync(message, timeout.Token);
            if (response.Headers.Date is { } date)
                ReadServerTime(date, sent, time.GetTimestamp());
            // An error response is short enough to buffer, and must be read within the timeout.
            if (isBuffered || !IsAccepted(response))
                await response.Content.LoadIntoBufferAsync(MaximumBuffered, timeout.Token);
            return response;
        }
        catch (Exception problem) when (problem is HttpRequestException or IOException)
        {
            throw new KubernetesException(request, null, null, problem.InnerException?.Message ?? problem.Message, problem);
        }
        catch (OperationCanceledException problem) when (!cancellationToken.IsCancellationRequested)
        {
            // Also when .NET's own timeout of the connection has passed first.
            throw new KubernetesException(request, null, null, timeout.HasPassed ? timeout.Reason : problem.Message, problem);
        }
    }

    private DateTimeOffset ServerTimeAt(long timestamp)
    {
        var epoch = Interlocked.Read(ref _serverEpoch);
        if (epoch == UnknownEpoch)
            return time.GetUtcNow();
        var ticks = epoch + time.GetElapsedTime(0, timestamp).Ticks;
        return new DateTimeOffset(Math.Clamp(ticks, 0, DateTimeOffset.MaxValue.Ticks), TimeSpan.Zero);
    }

    /// <summary>Corrects the server's clock, unless what is known of it agrees with the date of a response.</summary>
    /// <param name="date">In whole seconds, of some moment between the request and its response.</param>
    /// <param name="sent">Our timestamp of the request.</param>
    /// <param name="received">Our timestamp of the response.</param>
    private void ReadServerTime(DateTimeOffset date, long sent, long received)
    {
        var latest = date.UtcTicks + TimeSpan.TicksPerSecond + time.GetElapsedTime(sent, received).Ticks;
        var ticks = Math.Clamp(ServerTimeAt(received).UtcTicks, date.UtcTicks, latest);
        Interlocked.Exchange(ref _serverEpoch, ticks - time.GetElapsedTime(0, received).Ticks);
    }

    private HttpRequestMessage Message(ApiRequest request, KubernetesCredential credential)
    {
        var message = new HttpRequestMessage(request.Method, new Uri(connection.Server.AbsoluteUri.TrimEnd('/') + request.Path));
        message.Headers.Authorization = credential.Authorization;
        message.Headers.Accept.Add(new MediaTypeWithQualityHeaderValue("application/json"));
        message.Headers.UserAgent.Add(new ProductInfoHeaderValue("proxyswapper", null));
        // .NET uses the Host header's name for SNI and to verify the certificate.
        if (connection.TlsServerName is { } name)
            message.Headers.Host = name;
        foreach (var (header, value) in connection.Impersonation)
            message.Headers.TryAddWithoutValidation(header, value);
        foreach (var (header, value) in request.Headers)
            message.Headers.TryAddWithoutValidation(header, value);
        if (request.Body is { } body)
            message.Content = new ByteArrayContent(body) { Headers = { ContentType = new MediaTypeHeaderValue(request.ContentType) } };
        return message;
    }

    private static bool IsAccepted(HttpResponseMessage response) =>
        response.IsSuccessStatusCode || response.StatusCode == HttpStatusCode.SwitchingProtocols;

    private static TimeSpan? PauseOf(HttpResponseMessage response) =>
        response.StatusCode is HttpStatusCode.TooManyRequests or >= HttpStatusCode.InternalServerError
        && response.Headers.RetryAfter?.Delta is { } delta
            ? TimeSpan.FromTicks(Math.Min(delta.Ticks, LongestPause.Ticks))
            : null;

    /// <summary>
    /// Reads a Status object (<see href="https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/status/"/>).
    /// </summary>
    private static async Task<KubernetesException> ErrorAsync(
        ApiRequest request,
        HttpResponseMessage response,
        CancellationToken cancellationToken
    )
    {
        // As UTF-8, whatever charset a proxy names: not all are known here.
        var text = Encoding.UTF8.GetString(await response.Content.ReadAsByteArrayAsync(cancellationToken));
        try
        {
            if (JsonNode.Parse(text, documentOptions: JsonFields.Strict) is JsonObject status)
                return new KubernetesException(request, response.StatusCode, status.Text("reason"), status.Text("message"))
                {
                    Continue = status.Text("metadata", "continue"),
                };
        }
        catch (Exception problem) when (problem is JsonException or InvalidOperationException)
        {
            // A proxy in front of the server sent its own error page.
        }
        return new KubernetesException(request, response.StatusCode, null, text[..Math.Min(text.Length, 300)].Trim());
    }
}
