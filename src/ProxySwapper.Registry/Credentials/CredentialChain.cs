namespace ProxySwapper.Registry.Credentials;

/// <summary>Tries sources in order: the first with a credential wins, an error ends the search, and none means anonymous.</summary>
public sealed class CredentialChain(params IReadOnlyList<IRegistryCredentialSource> sources) : IRegistryCredentialSource
{
    /// <summary>An empty chain: everything is anonymous.</summary>
    public static CredentialChain Anonymous { get; } = new();

    /// <inheritdoc />
    public async ValueTask<RegistryCredential?> GetAsync(ImageReference image, CancellationToken cancellationToken)
    {
        foreach (var source in sources)
            if (await source.GetAsync(image, cancellationToken) is { } credential)
                return credential;
        return null;
    }

    /// <inheritdoc />
    public async ValueTask<RegistryCredential?> RenewAsync(
        ImageReference image,
        RegistryCredential rejected,
        CancellationToken cancellationToken
    )
    {
        foreach (var source in sources)
            if (await source.RenewAsync(image, rejected, cancellationToken) is { } credential)
                return credential;
        return null;
    }
}
