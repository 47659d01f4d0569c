namespace ProxySwapper.Registry.Transport;

/// <summary>
/// What a request needs to be let in for
/// (<see href="https://distribution.github.io/distribution/spec/auth/scope/">Docker Registry v2, token scope</see>).
/// </summary>
/// <param name="Repository">The repository, or null for the registry as such.</param>
/// <param name="Push">Writing, not only reading.</param>
/// <param name="MountFrom">Another repository to read from while writing to this one, or null.</param>
internal readonly record struct RegistryScope(string? Repository, bool Push, string? MountFrom)
{
    public static RegistryScope None => default;

    public static RegistryScope ToPull(string repository) => new(repository, false, null);

    public static RegistryScope ToPush(string repository) => new(repository, true, null);

    public static RegistryScope ToMount(string repository, string from) => new(repository, true, from);

    /// <summary>The scopes as a token server is asked for them: the one for writing first, since some look only at that.</summary>
    public IReadOnlyList<string> Names =>
        (Repository, MountFrom) switch
        {
            (null, _) => [],
            (_, null) => [$"repository:{Repository}:{(Push ? "pull,push" : "pull")}"],
            _ => [$"repository:{Repository}:pull,push", $"repository:{MountFrom}:pull"],
        };
}
