using ProxySwapper.Registry.Transport;

namespace ProxySwapper.Registry.Authentication;

/// <summary>What one host asked for, and the tokens that were fetched for it: shared by all its clients.</summary>
internal sealed class HostAuthentication(RegistryHost host, TimeProvider time)
{
    public RegistryHost Host => host;

    /// <summary>The last challenge of the host; null before it ever sent one.</summary>
    public AuthenticationChallenge? Challenge { get; set; }

    public TokenCache Tokens { get; } = new(time);

    public TokenClient TokenClient { get; } = new(host.Name, host.Sender, time);
}
