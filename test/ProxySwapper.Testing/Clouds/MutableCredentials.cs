using ProxySwapper.Registry;
using ProxySwapper.Registry.Credentials;

namespace ProxySwapper.Testing.Clouds;

/// <summary>Returns the credential that a test sets, and another one after a rejection, if there is one.</summary>
internal sealed class MutableCredentials(RegistryCredential? current, RegistryCredential? renewed = null) : IRegistryCredentialSource
{
    public int Calls { get; private set; }

    public int Renewed { get; private set; }

    public RegistryCredential? Current { get; set; } = current;

    public ValueTask<RegistryCredential?> GetAsync(ImageReference image, CancellationToken cancellationToken)
    {
        Calls++;
        return new(Current);
    }

    public ValueTask<RegistryCredential?> RenewAsync(ImageReference image, RegistryCredential rejected, CancellationToken cancellationToken)
    {
        Renewed++;
        return new(Current = renewed ?? Current);
    }
}
