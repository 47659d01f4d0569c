using System.Net;
using ProxySwapper.Configuration;
using ProxySwapper.Patterns;
using ProxySwapper.Population.Work;
using ProxySwapper.Registries;
using ProxySwapper.Registry;
using ProxySwapper.Registry.Transport;

namespace ProxySwapper.Population.Downstream;

/// <summary>
/// Checks whether we may read and write in a repository, by a HEAD and by an upload that is started and cancelled; only by the HEAD where
/// images are warmed, since nothing can be pushed to a pull-through cache.
/// </summary>
/// <param name="registries">The registries, with our credentials.</param>
/// <param name="planner">The current planner, which knows what is warmed.</param>
internal sealed class AccessCheck(RegistryServices registries, Func<PopulationPlanner> planner)
{
    /// <summary>A tag that no image has.</summary>
    private const string Probe = "proxyswapper-access-check";

    /// <summary>Returns without an exception if we may do what populating the repository needs.</summary>
    /// <exception cref="RegistryException">We may not, or it is unknown.</exception>
    public async Task CheckAsync(RegistryName registry, string repository, CancellationToken cancellationToken)
    {
        await CheckReadAsync(registry, repository, cancellationToken);
        if (!planner().IsWarmedUp(registry, repository))
            await registries.Clients.For(registry, registries.Credentials).CheckUploadAsync(repository, cancellationToken);
    }

    /// <summary>Returns without an exception if we may read.</summary>
    /// <exception cref="RegistryException">We may not, or it is unknown.</exception>
    public Task CheckReadAsync(RegistryName registry, string repository, CancellationToken cancellationToken) =>
        registries.Clients.For(registry, registries.Credentials).HeadManifestAsync(repository, Probe, cancellationToken);

    /// <summary>Whether the registry rejected our login, as opposed to a temporary failure.</summary>
    public static bool IsDenial(RegistryException problem, RegistryName registry) =>
        problem.Host == registry && problem.Status is HttpStatusCode.Unauthorized or HttpStatusCode.Forbidden;

    /// <summary>Whether the registry allows the request, but has no such repository.</summary>
    public static bool IsAbsence(RegistryException problem, RegistryName registry) =>
        problem.Host == registry && (problem.IsRepositoryUnknown || problem.Status == HttpStatusCode.NotFound);

    /// <summary>What rules rewrite to and we populate, each with a repository to check if the rule contains one or a path.</summary>
    public static IEnumerable<CheckedTarget> TargetsOf(ProxySwapperOptions options) =>
        DestinationsOf(options).Where(rule => rule.IsPopulated).Select(rule => rule.Target).Distinct();

    /// <summary>Where each rule sends images, in the order of the rules.</summary>
    public static IEnumerable<RuleDestination> DestinationsOf(ProxySwapperOptions options)
    {
        var isPopulated = options.Populate.Policy != PopulatePolicy.None;
        if (options.Rules.Count == 0)
            return options.ProxyUrl is { } proxyUrl ? [OfMatch(RegistryName.DockerHubText, proxyUrl, isPopulated)] : [];
        return options
            .Rules.Select(rule =>
                rule.Replace is { } replacement ? new RuleDestination(OfReplacement(replacement), Probe, isPopulated && rule.Populate)
                : (rule.Target ?? options.ProxyUrl) is { } target ? OfMatch(rule.Match, target, isPopulated && rule.Populate)
                : (RuleDestination?)null
            )
            .OfType<RuleDestination>();
    }

    private static RuleDestination OfMatch(string? match, string target, bool isPopulated) =>
        new(OfPrefix(target), ExampleOf(match, target), isPopulated);

    /// <summary>A repository of the target's registry that an image of the rule could go to, for targets without a path.</summary>
    private static string ExampleOf(string? match, string target)
    {
        if (match is null || !RepositoryPattern.TryParse(match, out var pattern, out _))
            return Probe;
        var suffix = TargetPrefix.Split(target).Suffix;
        if (suffix is not null && !pattern.IsOneRegistry)
            return Probe;
        var start = suffix is null ? "" : $"{TargetPrefix.PathOf(pattern.Registry)}{suffix}";
        var known = pattern.Segments.TakeWhile(segment => !segment.Contains('*', StringComparison.Ordinal)).ToList();
        if (known.Count == 0 && pattern.Registry == RegistryName.DockerHubText)
            known = ["library"];
        return start + string.Join('/', known.Count > 0 && known.Count == pattern.Segments.Count ? known : [.. known, Probe]);
    }

    private static CheckedTarget OfPrefix(string target)
    {
        // The path before the first part that depends on the image.
        var end = target.IndexOf('{', StringComparison.Ordinal);
        var text = end < 0 ? target : target[..(target.LastIndexOf('/', end) + 1)];
        var host = TargetPrefix.HostOf(text);
        var path = text[host.Length..].Trim('/');
        return new(RegistryName.Parse(host), path, path.Length == 0 ? null : $"{path}/{Probe}");
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
        return new(RegistryName.Parse(host), repository, repository);
    }
}

/// <summary>A target of the rules.</summary>
/// <param name="Registry">The registry.</param>
/// <param name="Path">The path of its repositories, or a single one; without slashes at its ends, and empty for all.</param>
/// <param name="Repository">The repository to check; null if it is only known once an image is copied.</param>
internal readonly record struct CheckedTarget(RegistryName Registry, string Path, string? Repository);

/// <summary>Where a rule sends images.</summary>
/// <param name="Target">The target.</param>
/// <param name="Example">A repository that its images could go to, if the target itself does not name one.</param>
/// <param name="IsPopulated">Whether we copy its images there.</param>
internal readonly record struct RuleDestination(CheckedTarget Target, string Example, bool IsPopulated);
