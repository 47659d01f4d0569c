using System.Net;
using ProxySwapper.Configuration;
using ProxySwapper.Registries;
using ProxySwapper.Registry.Transport;

namespace ProxySwapper.Population.Downstream;

/// <summary>Checks whether we may read and write in a repository, by a HEAD and by an upload that is started and cancelled.</summary>
internal sealed class AccessCheck(RegistryServices registries)
{
    /// <summary>A tag that no image has.</summary>
    private const string Probe = "proxyswapper-access-check";

    /// <summary>Returns without an exception if we may.</summary>
    /// <exception cref="RegistryException">We may not, or it is unknown.</exception>
    public async Task AskAsync(string registry, string repository, CancellationToken cancellationToken)
    {
        var client = registries.Clients.For(registry, registries.Credentials);
        await client.HeadManifestAsync(repository, Probe, cancellationToken);
        await client.CheckUploadAsync(repository, cancellationToken);
    }

    /// <summary>Whether the registry rejected our login, as opposed to a temporary failure.</summary>
    public static bool IsDenial(RegistryException problem, string registry) =>
        problem.Host == registry && problem.Status is HttpStatusCode.Unauthorized or HttpStatusCode.Forbidden;

    /// <summary>
    /// The registries that rules rewrite to and that we populate, each with a repository to check if the rule contains a path.
    /// </summary>
    public static IEnumerable<(string Registry, string? Repository)> TargetsOf(ProxySwapperOptions options)
    {
        if (options.Populate.Policy == PopulatePolicy.None)
            return [];
        var targets =
            options.Rules.Count == 0
                ? [options.ProxyUrl]
                : options.Rules.Where(rule => rule.Populate).Select(rule => rule.Target ?? rule.Replace ?? options.ProxyUrl);
        return targets.OfType<string>().Select(TargetOf).OfType<(string, string?)>().Distinct();
    }

    private static (string Registry, string? Repository)? TargetOf(string target)
    {
        // The text before the first part that depends on the image.
        var end = target.AsSpan().IndexOfAny('$', '{', '@');
        var text = end < 0 ? target : target[..end][..(target[..end].LastIndexOf('/') + 1)];
        var parts = text.TrimEnd('/').Split('/', 2);
        if (parts[0].Length == 0 || parts.Length == 1 && end >= 0 && !text.Contains('/', StringComparison.Ordinal))
            return null;
        return (parts[0], parts.Length == 2 ? $"{parts[1]}/{Probe}" : null);
    }
}
