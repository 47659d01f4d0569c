using ProxySwapper.Configuration;
using ProxySwapper.Patterns;
using ProxySwapper.Registry;

namespace ProxySwapper.Registries;

/// <summary>
/// Entries for the caches of <c>regexURL</c> blocks that have none in <c>registries</c>: the scheme from their URLs, and the user and
/// password that the Harbor plugin read from its environment. The plugin's block thus works unchanged.
/// </summary>
internal static class ImpliedRegistryEntries
{
    private const string UserVariable = "hUSER";
    private const string PasswordVariable = "hPW";

    /// <summary>The entries of the configuration and those implied by its blocks.</summary>
    public static IReadOnlyList<RegistryEntryOptions> Entries(ProxySwapperOptions options, EnvironmentVariables environment)
    {
        var hasUser = !string.IsNullOrEmpty(environment[UserVariable]) && !string.IsNullOrEmpty(environment[PasswordVariable]);
        var implied = options
            .Populate.ProxyCaches.Select(block => block.ReplacementOci)
            .OfType<string>()
            .Select(url => (IsPlain: url.StartsWith("http://", StringComparison.Ordinal), Host: HostOf(url)))
            .Where(cache => cache.Host is not null && (cache.IsPlain || hasUser))
            .Where(cache => options.Registries.All(entry => entry.Host != cache.Host))
            .DistinctBy(cache => cache.Host)
            .Select(cache => new RegistryEntryOptions
            {
                Host = cache.Host!.Value,
                PlainHttp = cache.IsPlain,
                Auth = hasUser ? RegistryAuth.Basic : null,
                UsernameFrom = hasUser ? new SecretSource(UserVariable, null) : null,
                PasswordFrom = hasUser ? new SecretSource(PasswordVariable, null) : null,
            });
        return
        [
            .. options.Registries.Select(entry => hasUser && entry.Auth is null && IsCache(entry, options) ? WithUser(entry) : entry),
            .. implied,
        ];
    }

    private static bool IsCache(RegistryEntryOptions entry, ProxySwapperOptions options) =>
        options.Populate.ProxyCaches.Any(block => block.ReplacementOci is { } url && HostOf(url) == entry.Host);

    private static RegistryEntryOptions WithUser(RegistryEntryOptions entry) =>
        entry with
        {
            Auth = RegistryAuth.Basic,
            UsernameFrom = new SecretSource(UserVariable, null),
            PasswordFrom = new SecretSource(PasswordVariable, null),
        };

    /// <summary>The cache's registry; null where it depends on the image.</summary>
    private static RegistryName? HostOf(string url) =>
        ManifestUrl.TrySplit(url, out var host, out _, out _) && RegistryName.TryParse(host, out var name) ? name : null;
}
