using Microsoft.Extensions.Logging;
using ProxySwapper.Registry.Credentials;

namespace ProxySwapper.Registry.Protocol;

/// <summary>
/// All registries, one per process: it holds the connections, the limits and the tokens of each host, and gives out clients,
/// which are cheap.
/// </summary>
public sealed class RegistryClients(RegistryOptions options, TimeProvider time, ILoggerFactory loggers) : IDisposable
{
    /// <summary>A client for one host that opens it with these credentials.</summary>
    /// <param name="registry">The host as references write it, for instance <c>docker.io</c> or <c>localhost:5000</c>.</param>
    /// <param name="credentials">Asked when the registry challenges; its tokens are shared with no other source.</param>
    public RegistryClient For(string registry, IRegistryCredentialSource credentials) => new(registry, credentials, options, time, loggers);

    /// <inheritdoc />
    public void Dispose()
    {
    }
}
