using System.Net;
using System.Net.WebSockets;
using System.Security.Cryptography;
using System.Text;

namespace ProxySwapper.Kubernetes;

/// <summary>
/// Opens a WebSocket at the API server (<see href="https://www.rfc-editor.org/rfc/rfc6455#section-4.1">RFC 6455, section 4.1</see>), as a
/// request like any other: with the same connections, credentials and errors.
/// </summary>
internal static class WebSocketUpgrade
{
    private const int KeyLength = 16;

    /// <summary>Appended to the key before it is hashed, by section 1.3.</summary>
    private const string Suffix = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

    /// <param name="sender">Sends the request.</param>
    /// <param name="path">Path and query string.</param>
    /// <param name="protocol">The subprotocol.</param>
    /// <param name="cancellationToken">Cancels the call.</param>
    /// <exception cref="KubernetesException">The server returned an error or did not respond.</exception>
    public static async Task<WebSocket> OpenAsync(
        ApiRequestSender sender,
        string path,
        string protocol,
        CancellationToken cancellationToken
    )
    {
        var key = Convert.ToBase64String(RandomNumberGenerator.GetBytes(KeyLength));
        var request = new ApiRequest(HttpMethod.Get, path)
        {
            Headers =
            [
                ("Connection", "Upgrade"),
                ("Upgrade", "websocket"),
                ("Sec-WebSocket-Version", "13"),
                ("Sec-WebSocket-Key", key),
                ("Sec-WebSocket-Protocol", protocol),
            ],
        };
        var response = await sender.OpenAsync(request, cancellationToken);
        if (
            response.StatusCode != HttpStatusCode.SwitchingProtocols
            || HeaderOf(response, "Sec-WebSocket-Accept") != AcceptFor(key)
            || HeaderOf(response, "Sec-WebSocket-Protocol") != protocol
        )
        {
            response.Dispose();
            throw new KubernetesException(request, response.StatusCode, null, $"the server does not support {protocol} over WebSocket");
        }
        var stream = await response.Content.ReadAsStreamAsync(cancellationToken);
        return WebSocket.CreateFromStream(stream, new WebSocketCreationOptions { SubProtocol = protocol });
    }

    private static string? HeaderOf(HttpResponseMessage response, string name) =>
        response.Headers.TryGetValues(name, out var values) ? values.FirstOrDefault() : null;

#pragma warning disable CA5350 // RFC 6455 hashes with SHA-1, and protects nothing by it.
    private static string AcceptFor(string key) => Convert.ToBase64String(SHA1.HashData(Encoding.ASCII.GetBytes(key + Suffix)));
#pragma warning restore CA5350
}
