using System.Net;
using System.Net.Http.Headers;
using System.Text.Json;
using ProxySwapper.Registry.Transport;

namespace ProxySwapper.Commands;

/// <summary>Reads <c>/populate</c> of a management port.</summary>
/// <param name="address">The port's address, without the page's path.</param>
/// <param name="token">The management token, or null. It is sent to this host only.</param>
/// <param name="connection">A connection to the port, for one request; null to open one to the address.</param>
internal sealed class ManagementClient(Uri address, string? token, Stream? connection = null) : IDisposable
{
    private const int MaximumBytes = 16 * 1024 * 1024;

    private readonly HttpClient _client = new(HandlerFor(connection))
    {
        Timeout = TimeSpan.FromSeconds(30),
        MaxResponseContentBufferSize = MaximumBytes,
    };

    /// <summary>What is wrong with an address, or null. It is not repeated, since it may have a password.</summary>
    public static string? Validate(string text) =>
        Uri.TryCreate(text, UriKind.Absolute, out var address) && address.Scheme is "http" or "https" && address.UserInfo.Length == 0
            ? null
            : "must be an http or https URL without user and password, such as http://localhost:9090";

    /// <summary>The state of the program.</summary>
    /// <exception cref="ManagementException">There was no response, or another one.</exception>
    public async Task<JsonDocument> GetAsync(CancellationToken cancellationToken)
    {
        var page = new Uri(address.AbsolutePath.EndsWith('/') ? address : new Uri($"{address.GetLeftPart(UriPartial.Path)}/"), "populate");
        using var request = new HttpRequestMessage(HttpMethod.Get, page);
        if (token is not null && !HeaderText.IsValid(token))
            throw new ManagementException("the management token contains a character that a header cannot have");
        if (!string.IsNullOrEmpty(token))
            request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", token);
        try
        {
            using var response = await _client.SendAsync(request, cancellationToken);
            if (response.StatusCode == HttpStatusCode.Unauthorized)
                throw new ManagementException(
                    $"GET {page}: unauthorized (HTTP 401): "
                        + (token is null ? "the management token is required; use --token-file" : "the management token is wrong")
                );
            if (response.StatusCode == HttpStatusCode.Forbidden)
                throw new ManagementException(
                    $"GET {page}: forbidden (HTTP 403): only localhost can read it without a token; omit URL to use port-forward"
                );
            if (!response.IsSuccessStatusCode)
                throw new ManagementException($"GET {page}: HTTP {(int)response.StatusCode}");
            return JsonDocument.Parse(await response.Content.ReadAsByteArrayAsync(cancellationToken));
        }
        catch (JsonException fault)
        {
            throw new ManagementException($"GET {page}: the response is not JSON", fault);
        }
        catch (Exception fault)
            when (fault is HttpRequestException or IOException or OperationCanceledException && !cancellationToken.IsCancellationRequested)
        {
            var reason =
                fault is OperationCanceledException ? $"no response within {_client.Timeout.TotalSeconds:0} s"
                : connection is not null && fault.InnerException is IOException inner ? inner.Message
                : fault.Message;
            throw new ManagementException($"GET {page}: {reason}", fault);
        }
    }

    public void Dispose() => _client.Dispose();

    private static SocketsHttpHandler HandlerFor(Stream? connection)
    {
        var handler = new SocketsHttpHandler { AllowAutoRedirect = false, UseCookies = false };
        if (connection is not null)
            (handler.UseProxy, handler.ConnectCallback) = (false, (_, _) => ValueTask.FromResult(connection));
        return handler;
    }
}

/// <summary>A management port did not respond as expected; the message names the request.</summary>
internal sealed class ManagementException(string message, Exception? innerException = null) : Exception(message, innerException);
