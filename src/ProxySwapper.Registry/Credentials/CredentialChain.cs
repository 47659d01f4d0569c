namespace ProxySwapper.Registry.Credentials;

/// <summary>Asks sources in order; the first that knows the image answers, an error ends the asking, nobody means anonymous.</summary>
public sealed class CredentialChain(params IReadOnlyList<IRegistryCredentialSource> sources) : IRegistryCredentialSource
{
    /// <summary>A chain of no source: everything is anonymous.</summary>
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
        RegistryCredential refused,
        CancellationToken cancellationToken
    )
    {
        foreach (var source in sources)
            if (await source.RenewAsync(image, refused, cancellationToken) is { } credential)
                return credential;
        return null;
    }
}
