using ProxySwapper.Registry.Transport;

namespace ProxySwapper.Registry.Authentication;

/// <summary>The challenge of one host and the tokens fetched for it, shared by all its clients.</summary>
internal sealed class HostAuthentication(RegistryHost host, TimeProvider time)
{
    public RegistryHost Host => host;

    /// <summary>The host's last challenge; null until it has sent one.</summary>
    public AuthenticationChallenge? Challenge { get; set; }

    public TokenCache Tokens { get; } = new(time);

    public TokenClient TokenClient { get; } = new(host.Name, host.Sender, time);
}
