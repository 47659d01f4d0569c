using System.Net;
using ProxySwapper.Registry;

namespace ProxySwapper.Commands;

/// <summary>
/// The proxies of <c>HTTPS_PROXY</c> and <c>HTTP_PROXY</c>, whose addresses are without user and password: .NET writes them in the messages
/// of its exceptions, which reach logs, Events and pages.
/// </summary>
/// <param name="proxy">The proxies with their credentials.</param>
internal sealed class PasswordFreeProxy(IWebProxy proxy) : IWebProxy
{
    /// <inheritdoc />
    public ICredentials? Credentials
    {
        get => proxy.Credentials;
        set => proxy.Credentials = value;
    }

    /// <summary>For all connections of this process, those of the clouds' libraries too.</summary>
    public static void Use() => HttpClient.DefaultProxy = new PasswordFreeProxy(HttpClient.DefaultProxy);

    /// <inheritdoc />
    public Uri? GetProxy(Uri destination) => proxy.GetProxy(destination) is { } address ? UserInfo.Remove(address) : null;

    /// <inheritdoc />
    public bool IsBypassed(Uri host) => proxy.IsBypassed(host);
}
