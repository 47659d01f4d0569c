using ProxySwapper.Configuration;
using ProxySwapper.Registry;
using ProxySwapper.Registry.Credentials;

namespace ProxySwapper.Registries;

/// <summary>
/// What <c>registries</c> says of a host: a user with a password that are read anew each time, so that a changed secret counts at once;
/// nobody; or one of the other sources alone, which then has to have an answer.
/// </summary>
internal sealed class ConfiguredCredentialSource : IRegistryCredentialSource
{
    private readonly Dictionary<string, Func<ImageReference, CancellationToken, ValueTask<RegistryCredential?>>> _hosts = new(StringComparer.OrdinalIgnoreCase);

    public ConfiguredCredentialSource(IReadOnlyList<RegistryEntryOptions> registries, Func<string, string?> environment)
    {
        foreach (var entry in registries)
            if (entry.Auth is { } auth) _hosts[entry.Host] = GetterOf(entry, auth, environment);
    }

    public ValueTask<RegistryCredential?> GetAsync(ImageReference image, CancellationToken cancellationToken) =>
        _hosts.TryGetValue(image.Registry, out var get) ? get(image, cancellationToken) : new((RegistryCredential?)null);

    private static Func<ImageReference, CancellationToken, ValueTask<RegistryCredential?>> GetterOf(RegistryEntryOptions entry, RegistryAuth auth, Func<string, string?> environment) => auth switch
    {
        RegistryAuth.Anonymous => (_, _) => new(RegistryCredential.Anonymous),
        RegistryAuth.Basic => (_, _) => new(RegistryCredential.Basic(Read(entry, "usernameFrom", entry.UsernameFrom!, environment), Read(entry, "passwordFrom", entry.PasswordFrom!, environment))),
        RegistryAuth.DockerConfig => Only(entry, entry.DockerConfigFile is { } file ? DockerConfigSource.FromFile(file) : new CredentialChain([.. DockerConfigSource.Defaults(environment)])),
        // The chain's own sources of the clouds answer for these hosts.
        _ => (_, _) => new((RegistryCredential?)null),
    };

    private static Func<ImageReference, CancellationToken, ValueTask<RegistryCredential?>> Only(RegistryEntryOptions entry, IRegistryCredentialSource source) => async (image, cancellationToken) =>
        await source.GetAsync(image, cancellationToken) ?? throw new RegistryCredentialException($"registries: {entry.Host} has auth: {entry.Auth}, and that has no credential for it");

    private static string Read(RegistryEntryOptions entry, string key, SecretSource secret, Func<string, string?> environment)
    {
        if (secret.Environment is { } variable)
            return environment(variable) is { Length: > 0 } value ? value : throw new RegistryCredentialException($"registries: {key} of {entry.Host} is to come from the variable {variable}, which is not set");
        try
        {
            return File.ReadAllText(secret.File!).TrimEnd('\r', '\n');
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            throw new RegistryCredentialException($"registries: {key} of {entry.Host} cannot be read: {fault.Message}", fault);
        }
    }
}
