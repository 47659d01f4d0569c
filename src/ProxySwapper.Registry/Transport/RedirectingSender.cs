using System.Net;
using System.Net.Http.Headers;
using System.Security.Authentication;
using ProxySwapper.Registry.Timing;

namespace ProxySwapper.Registry.Transport;

/// <summary>
/// Sends one request and returns the response as soon as its headers have arrived. It follows redirects itself: at most
/// <see cref="MaxRedirects"/>, never from https to http, and never with a credential for another scheme, host or port.
/// </summary>
internal sealed class RedirectingSender(
    ConnectionPool connections,
    RegistryOptions options,
    RegistryHostOptions own,
    string ownHost,
    TimeProvider time
)
{
    private const int MaxRedirects = 5;

    /// <exception cref="RegistryException">
    /// There was no response, a redirect that is not followed, or the request is for an address of cloud metadata.
    /// </exception>
    public async Task<RegistryResponse> SendAsync(
        RegistryRequest request,
        AuthenticationHeaderValue? authorization,
        CancellationToken cancellationToken
    )
    {
        var address = request.Address;
        // Behind a proxy, no address is connected to that could be checked. Those of redirects are checked below.
        if (MetadataAddress.IsMatch(address))
            throw request.Fault(
                null,
                $"{address.DnsSafeHost} is a link-local or cloud metadata address: connections to it are not allowed"
            );
        var mayAuthorize = true;
        var redirectedTo = request.RedirectedTo;
        for (var redirects = 0; ; redirects++)
        {
            var response = await SendOnceAsync(request, address, redirectedTo, mayAuthorize ? authorization : null, cancellationToken);
            response.IsOwn = mayAuthorize;
            if (!IsRedirect(response.Status) || response.Location is not { } next)
                return response;
            var (status, shown) = (response.Status, request.Secrets.ShowOrigin(response.Header("Location"), next));
            response.Dispose();
            if (redirects == MaxRedirects)
                throw request.Fault(status, $"more than {MaxRedirects} redirects");
            if (Validate(request, status, address, next) is { } rejection)
                throw request.Fault(status, $"redirected to {shown}, {rejection}");
            mayAuthorize &= IsSameOrigin(address, next);
            address = next;
            redirectedTo = IsSameOrigin(address, request.Address) ? request.RedirectedTo : shown;
        }
    }

    public static bool IsSameOrigin(Uri one, Uri other) =>
        one.Scheme == other.Scheme && one.Port == other.Port && one.IdnHost.Equals(other.IdnHost, StringComparison.OrdinalIgnoreCase);

    /// <summary>Why a server must not redirect us to a URL (losing encryption, or to a metadata server); null if it may.</summary>
    public static string? Validate(Uri from, Uri to)
    {
        if (to.Scheme != Uri.UriSchemeHttps && (to.Scheme != Uri.UriSchemeHttp || from.Scheme != Uri.UriSchemeHttp))
            return "which is not an https URL";
        return MetadataAddress.IsMatch(to) ? "which is a link-local or cloud metadata address" : null;
    }

    private static bool IsRedirect(HttpStatusCode status) =>
        status
            is HttpStatusCode.MovedPermanently
                or HttpStatusCode.Found
                or HttpStatusCode.SeeOther
                or HttpStatusCode.TemporaryRedirect
                or HttpStatusCode.PermanentRedirect;

    private static string? Validate(RegistryRequest request, HttpStatusCode status, Uri from, Uri to)
    {
        if (Validate(from, to) is { } rejection)
            return rejection;
        if (!request.IsWriting)
            return null;
        if (status is not (HttpStatusCode.TemporaryRedirect or HttpStatusCode.PermanentRedirect))
            return $"which does not preserve the method {request.Method}";
        return request.IsRepeatable ? null : "after the content was sent";
    }

    private async Task<RegistryResponse> SendOnceAsync(
        RegistryRequest request,
        Uri address,
        string? redirectedTo,
        AuthenticationHeaderValue? authorization,
        CancellationToken cancellationToken
    )
    {
        var origin = redirectedTo is null ? "" : $"redirected to {redirectedTo}: ";
        request.Secrets.Add(authorization);
        using var timeout = new OperationTimeout(options.ResponseTimeout, time, cancellationToken);
        using var message = ToMessage(request, address, authorization, timeout);
        try
        {
            var response = await connections.For(OptionsOf(address), address).SendAsync(message, timeout.Token);
            return new RegistryResponse(response, address, options, time) { RedirectedTo = redirectedTo };
        }
        catch (Exception fault) when (BlobSourceException.Of(fault) is { } source)
        {
            throw source;
        }
        catch (OperationCanceledException fault) when (timeout.HasPassed)
        {
            throw request.Fault(null, origin + timeout.Reason, fault, transient: true);
        }
        catch (Exception fault) when (fault is HttpRequestException or IOException or TimeoutException)
        {
            throw request.Fault(
                null,
                origin + fault.GetBaseException().Message,
                fault,
                transient: fault.InnerException is not AuthenticationException
                    && fault.GetBaseException() is not (SlowStreamException or MetadataAddressException or CaFileException)
            );
        }
    }

    private HttpRequestMessage ToMessage(
        RegistryRequest request,
        Uri address,
        AuthenticationHeaderValue? authorization,
        OperationTimeout timeout
    )
    {
        var message = new HttpRequestMessage(request.Method, address)
        {
            Version = HttpVersion.Version11,
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
        };
        message.Headers.Authorization = authorization;
        message.Headers.TryAddWithoutValidation("User-Agent", options.UserAgent);
        foreach (var mediaType in request.Accept)
            message.Headers.TryAddWithoutValidation("Accept", mediaType);
        if (request.From is { } from)
            message.Headers.Range = new RangeHeaderValue(from, null);
        if (request.ExpectContinue)
            message.Headers.ExpectContinue = true;
        message.Content = request.Content?.Invoke(timeout);
        if (message.Content is null && request.IsWriting)
            message.Content = new ByteArrayContent([]);
        if (request.ContentRange is { } range)
            message.Content!.Headers.TryAddWithoutValidation("Content-Range", range);
        return message;
    }

    /// <summary>Another host, of a redirect or a token server, uses its own settings.</summary>
    private RegistryHostOptions OptionsOf(Uri address) =>
        address.IdnHost.Equals(ownHost, StringComparison.OrdinalIgnoreCase) ? own
        : RegistryName.TryParse(address.Authority, out var name) ? options.For(name)
        : new RegistryHostOptions();
}
