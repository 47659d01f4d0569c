namespace ProxySwapper.Registry.Transport;

/// <summary>
/// The access that a request needs
/// (<see href="https://distribution.github.io/distribution/spec/auth/scope/">Docker Registry v2, token scope</see>).
/// </summary>
/// <param name="Repository">The repository, or null for the registry as a whole.</param>
/// <param name="Push">True for write access.</param>
/// <param name="MountFrom">Another repository to read from while writing to this one, or null.</param>
internal readonly record struct RegistryScope(string? Repository, bool Push, string? MountFrom)
{
    public static RegistryScope None => default;

    public static RegistryScope ToPull(string repository) => new(repository, false, null);

    public static RegistryScope ToPush(string repository) => new(repository, true, null);

    public static RegistryScope ToMount(string repository, string from) => new(repository, true, from);

    /// <summary>The scopes to request from a token server: the one for writing first, since some only use the first.</summary>
    public IReadOnlyList<string> Names =>
        (Repository, MountFrom) switch
        {
            (null, _) => [],
            (_, null) => [$"repository:{Repository}:{(Push ? "pull,push" : "pull")}"],
            _ => [$"repository:{Repository}:pull,push", $"repository:{MountFrom}:pull"],
        };
}
