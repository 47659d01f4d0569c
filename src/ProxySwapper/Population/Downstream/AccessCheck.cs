using System.Net;
using ProxySwapper.Configuration;
using ProxySwapper.Patterns;
using ProxySwapper.Registries;
using ProxySwapper.Registry;
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

    /// <summary>What rules rewrite to and we populate, each with a repository to check if the rule contains one or a path.</summary>
    public static IEnumerable<CheckedTarget> TargetsOf(ProxySwapperOptions options)
    {
        if (options.Populate.Policy == PopulatePolicy.None)
            return [];
        if (options.Rules.Count == 0)
            return options.ProxyUrl is { } proxyUrl ? [OfPrefix(proxyUrl)] : [];
        return options
            .Rules.Where(rule => rule.Populate)
            .Select(rule =>
                rule.Replace is { } replacement ? OfReplacement(replacement)
                : (rule.Target ?? options.ProxyUrl) is { } target ? OfPrefix(target)
                : (CheckedTarget?)null
            )
            .OfType<CheckedTarget>()
            .Distinct();
    }

    private static CheckedTarget OfPrefix(string target)
    {
        // The path before the first part that depends on the image.
        var end = target.IndexOf('{', StringComparison.Ordinal);
        var text = end < 0 ? target : target[..(target.LastIndexOf('/', end) + 1)];
        var host = TargetPrefix.HostOf(text);
        var path = text[host.Length..].Trim('/');
        return new(RegistryName.Normalize(host), path, path.Length == 0 ? null : $"{path}/{Probe}");
    }

    private static CheckedTarget OfReplacement(string replacement)
    {
        var end = replacement.IndexOf('$', StringComparison.Ordinal);
        var text = end < 0 ? replacement : replacement[..end];
        var slash = text.LastIndexOf('/');
        var tag = text.AsSpan(slash + 1).IndexOfAny(':', '@');
        if (end >= 0 && tag < 0)
            return OfPrefix(text[..slash]);
        // All images go to this repository.
        var name = tag < 0 ? text : text[..(slash + 1 + tag)];
        var host = TargetPrefix.HostOf(name);
        var repository = name[(host.Length + 1)..];
        return new(RegistryName.Normalize(host), repository, repository);
    }
}

/// <summary>A target of the rules.</summary>
/// <param name="Registry">The registry.</param>
/// <param name="Path">The path of its repositories, or a single one; without slashes at its ends, and empty for all.</param>
/// <param name="Repository">The repository to check; null if it is only known once an image is copied.</param>
internal readonly record struct CheckedTarget(string Registry, string Path, string? Repository);
