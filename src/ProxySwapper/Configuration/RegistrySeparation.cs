using ProxySwapper.Patterns;
using ProxySwapper.Registry;

namespace ProxySwapper.Configuration;

/// <summary>
/// Shows that a rule with a regular expression never gives images of two registries the same name, by how the expression begins and what of
/// that the replacement keeps; or finds two registries for which it does.
/// </summary>
internal static class RegistrySeparation
{
    private const int MaximumTexts = 1_000;

    /// <summary>Of all sources together; names of registries have at most some hundred characters.</summary>
    private const int MaximumSymbols = 20_000;

    private const string NotKept =
        "matchRegex may match images of more than one registry, and replace does not keep the registry's whole name";
    private const int MaximumRegistries = 64;

    /// <summary>What is wrong with a rule; null if images of two registries never get the same name.</summary>
    /// <param name="branches">The branches of the regular expression.</param>
    /// <param name="replacement">The parts of the replacement.</param>
    public static string? FaultOf(RegexBranches branches, IReadOnlyList<ReplacementPart> replacement)
    {
        var sources = new List<RegistrySource>();
        var size = 0;
        foreach (var source in branches.All.SelectMany(branch => RegistrySource.Of(branch, replacement)))
        {
            if ((size += source.Size) > MaximumSymbols)
                return NotKept;
            sources.Add(source);
        }
        sources = [.. sources.DistinctBy(source => source.Key)];
        if (branches.IsComplete && IsProven(sources))
            return null;
        var texts = sources.SelectMany(source => source.Texts()).Take(MaximumTexts).ToList();
        var registries = texts.Where(text => IsRegistry(text.Registry)).Distinct().Take(MaximumRegistries).ToList();
        foreach (var (index, (registry, target)) in registries.Index())
        foreach (var (other, otherTarget) in registries.Take(index))
            if (registry != other && MayBecomeEqual(target, otherTarget))
                return $"matchRegex matches images of {other} and of {registry}, and replace does not tell them apart"
                    + (sources.Any(source => source.HasAnyCharacter) ? @" (an unescaped '.' matches any character: write '\.')" : "");
        var hasSeenAll = branches.IsComplete && sources.All(source => source.HasAllTexts);
        return hasSeenAll && texts.Count < MaximumTexts && registries.Count < MaximumRegistries ? null : NotKept;
    }

    private static bool IsProven(List<RegistrySource> sources) =>
        sources.TrueForAll(source => source.KeepsRegistriesApart)
        && sources.Index().All(one => sources.Skip(one.Index + 1).All(one.Item.IsApartFrom));

    private static bool IsRegistry(string text) =>
        RegistryName.IsRegistry(text) && RegistryName.TryParse(text, out var name) && name.Text == text;

    private static bool MayBecomeEqual(string one, string other) =>
        one.StartsWith(other, StringComparison.Ordinal) || other.StartsWith(one, StringComparison.Ordinal);
}
