using ProxySwapper.Patterns;
using ProxySwapper.Registry;

namespace ProxySwapper.Converting;

/// <summary>
/// What single objects exclude. Ours apply to all rules, so an exclusion is only converted if no other object includes what it would hide.
/// </summary>
internal sealed class KubeImageKeeperExclusions
{
    private readonly List<Exclusion> _exclusions = [];
    private readonly List<(int Owner, string? Pattern, IReadOnlyList<string> Namespaces)> _included = [];
    private int _owner;

    /// <summary>Says that what follows belongs to the next object.</summary>
    public void BeginObject() => _owner++;

    /// <param name="pattern">The images of a rule; null if no pattern describes them.</param>
    /// <param name="namespaces">The rule's namespaces; empty for all.</param>
    public void Include(string? pattern, IReadOnlyList<string> namespaces) => _included.Add((_owner, pattern, [.. namespaces]));

    public void ExcludeImages(ForeignSection section, string key, string pattern) =>
        _exclusions.Add(new(_owner, section, key, pattern, "ignoreImages"));

    public void ExcludeNamespaces(ForeignSection section, string key, string pattern) =>
        _exclusions.Add(new(_owner, section, key, pattern, "ignoreNamespaces"));

    /// <summary>Passes on what may apply to all rules, and reports the rest.</summary>
    public void Resolve(Action<string> ignoreImages, Action<string> ignoreNamespaces)
    {
        foreach (var exclusion in _exclusions)
            if (_included.Exists(included => Hides(exclusion, included.Owner, included.Pattern, included.Namespaces)))
                exclusion.Section.LeaveOut(
                    exclusion.Key,
                    $"'{exclusion.Pattern}' has no counterpart: another object may include it, and "
                        + $"{exclusion.Setting} applies to all rules; put the rules of that object first"
                );
            else
                (exclusion.Setting == "ignoreImages" ? ignoreImages : ignoreNamespaces)(exclusion.Pattern);
    }

    private bool Hides(Exclusion exclusion, int owner, string? images, IReadOnlyList<string> namespaces)
    {
        // An object that excludes the same loses nothing.
        if (_exclusions.Exists(other => other.Owner == owner && (other.Setting, other.Pattern) == (exclusion.Setting, exclusion.Pattern)))
            return false;
        if (exclusion.Setting == "ignoreImages")
            return images is null || !HasRegistry(images) || !HasRegistry(exclusion.Pattern) || MayOverlap(images, exclusion.Pattern);
        return namespaces.Count == 0 || namespaces.Any(name => MayBeSame(name, exclusion.Pattern));
    }

    private static bool MayBeSame(string first, string second) =>
        IsLiteral(first) && IsLiteral(second) ? first == second : MayOverlap(first, second);

    /// <summary>Compares what precedes the first star; a repository overlaps with its tags.</summary>
    private static bool MayOverlap(string first, string second)
    {
        var length = Math.Min(LiteralLength(first), LiteralLength(second));
        return string.CompareOrdinal(first, 0, second, 0, length) == 0;
    }

    private static int LiteralLength(string pattern) =>
        IsLiteral(pattern) ? pattern.Length : pattern.IndexOf('*', StringComparison.Ordinal);

    private static bool IsLiteral(string pattern) => !pattern.Contains('*', StringComparison.Ordinal);

    private static bool HasRegistry(string pattern) =>
        pattern.Contains('/', StringComparison.Ordinal) && RegistryName.IsRegistry(TargetPrefix.HostOf(pattern));

    private sealed record Exclusion(int Owner, ForeignSection Section, string Key, string Pattern, string Setting);
}
