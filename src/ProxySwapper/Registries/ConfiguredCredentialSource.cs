using ProxySwapper.Configuration;
using ProxySwapper.Registry;
using ProxySwapper.Registry.Credentials;

namespace ProxySwapper.Registries;

/// <summary>
/// Credentials from an entry of <c>registries</c>: a user and password that are read each time, so that a changed secret takes effect at
/// once; anonymous access; or one of the other sources only, which must then have a credential.
/// </summary>
internal sealed class ConfiguredCredentialSource : IRegistryCredentialSource
{
    private readonly Dictionary<RegistryName, IRegistryCredentialSource> _hosts = [];

    public ConfiguredCredentialSource(
        IReadOnlyList<RegistryEntryOptions> registries,
        EnvironmentVariables environment,
        Func<RegistryAuth, IRegistryCredentialSource> cloudOf
    )
    {
        foreach (var entry in registries)
            if (entry.Auth is { } auth)
                _hosts[entry.Host] = SourceOf(entry, auth, environment, cloudOf);
    }

    /// <summary>The credential of an entry with <see cref="RegistryAuth.Basic"/>.</summary>
    /// <exception cref="RegistryCredentialException">It cannot be read.</exception>
    public static string UserOf(RegistryEntryOptions entry, EnvironmentVariables environment) =>
        Read(entry, "usernameFrom", entry.UsernameFrom!, environment);

    public ValueTask<RegistryCredential?> GetAsync(ImageReference image, CancellationToken cancellationToken) =>
        _hosts.TryGetValue(image.Registry, out var source) ? source.GetAsync(image, cancellationToken) : new((RegistryCredential?)null);

    public ValueTask<RegistryCredential?> RenewAsync(
        ImageReference image,
        RegistryCredential rejected,
        CancellationToken cancellationToken
    ) =>
        _hosts.TryGetValue(image.Registry, out var source)
            ? source.RenewAsync(image, rejected, cancellationToken)
            : new((RegistryCredential?)null);

    private static IRegistryCredentialSource SourceOf(
        RegistryEntryOptions entry,
        RegistryAuth auth,
        EnvironmentVariables environment,
        Func<RegistryAuth, IRegistryCredentialSource> cloudOf
    ) =>
        auth switch
        {
            RegistryAuth.Anonymous => new Known(() => RegistryCredential.Anonymous),
            RegistryAuth.Basic => new Known(() =>
                RegistryCredential.Basic(UserOf(entry, environment), Read(entry, "passwordFrom", entry.PasswordFrom!, environment))
            ),
            RegistryAuth.DockerConfig => new Only(
                entry,
                entry.DockerConfigFile is { } file
                    ? DockerConfigSource.FromFile(file)
                    : new CredentialChain([.. DockerConfigSource.Defaults(environment)])
            ),
            _ => new Only(entry, cloudOf(auth)),
        };

    private static string Read(RegistryEntryOptions entry, string key, SecretSource secret, EnvironmentVariables environment)
    {
        if (secret.Environment is { } variable)
            return environment[variable] is { Length: > 0 } value
                ? value
                : throw new RegistryCredentialException(
                    $"registries: {key} of {entry.Host} is read from the environment variable {variable}, which is not set"
                );
        try
        {
            return TextFile.Read(secret.File!).TrimEnd('\r', '\n');
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            throw new RegistryCredentialException($"registries: {key} of {entry.Host} cannot be read: {fault.Message}", fault);
        }
    }

    private sealed class Known(Func<RegistryCredential> read) : IRegistryCredentialSource
    {
        public ValueTask<RegistryCredential?> GetAsync(ImageReference image, CancellationToken cancellationToken) => new(read());
    }

    private sealed class Only(RegistryEntryOptions entry, IRegistryCredentialSource source) : IRegistryCredentialSource
    {
        public async ValueTask<RegistryCredential?> GetAsync(ImageReference image, CancellationToken cancellationToken) =>
            await source.GetAsync(image, cancellationToken)
            ?? throw new RegistryCredentialException(
                $"registries: {entry.Host} has auth: {char.ToLowerInvariant(entry.Auth.ToString()![0])}{entry.Auth.ToString()![1..]}, "
                    + "which has no credential for it"
            );

        public ValueTask<RegistryCredential?> RenewAsync(
            ImageReference image,
            RegistryCredential rejected,
            CancellationToken cancellationToken
        ) => source.RenewAsync(image, rejected, cancellationToken);
    }
}
