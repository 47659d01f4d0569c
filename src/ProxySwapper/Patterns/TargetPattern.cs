using ProxySwapper.Registry;

namespace ProxySwapper.Patterns;

/// <summary>The names that a rule can give to images: its target with the registries and repositories that it matches.</summary>
internal sealed class TargetPattern
{
    private readonly RegistryName _host;
    private readonly List<Segment> _segments;

    private TargetPattern(string template, RegistryName host, List<Segment> segments) =>
        (Template, _host, _segments) = (template, host, segments);

    /// <summary>The target without spelling variants; rules with the same one differ in nothing but the images they match.</summary>
    public string Template { get; }

    /// <summary>Combines a valid target and pattern.</summary>
    public static TargetPattern Create(string target, RepositoryPattern match)
    {
        var (prefix, suffix) = TargetPrefix.Split(target);
        var template = suffix is null ? prefix : $"{prefix}{TargetPrefix.RegistryPlaceholder}{suffix}";
        var parts = template.TrimEnd('/').Split('/');
        var registry = match.Registry == "**" ? "*" : TargetPrefix.PathOf(match.Registry);
        return new TargetPattern(
            template,
            RegistryName.Parse(parts[0]),
            [
                .. parts
                    .Skip(1)
                    .Select(part => new Segment(
                        part.Replace(TargetPrefix.RegistryPlaceholder, registry, StringComparison.Ordinal),
                        part == TargetPrefix.RegistryPlaceholder
                    )),
                .. match.Segments.Select(segment => new Segment(segment, false)),
            ]
        );
    }

    /// <summary>False if no name can come from both.</summary>
    public bool MayCollide(TargetPattern other)
    {
        if (_host != other._host)
            return false;
        foreach (var (own, others) in _segments.Zip(other._segments))
        {
            if (own.IsAny || others.IsAny)
                return true;
            if (!own.MayBe(others))
                return false;
        }
        var common = Math.Min(_segments.Count, other._segments.Count);
        return _segments.Skip(common).Concat(other._segments.Skip(common)).All(segment => segment.IsAny);
    }

    /// <summary>One segment, in which <c>*</c> may be.</summary>
    /// <param name="Text">The pattern.</param>
    /// <param name="IsRegistry">Whether it is a registry's name, which looks different from most segments.</param>
    private readonly record struct Segment(string Text, bool IsRegistry)
    {
        public bool IsAny => Text == "**";

        private bool IsLiteral => !Text.Contains('*', StringComparison.Ordinal);

        public bool MayBe(Segment other) =>
            (IsLiteral, other.IsLiteral) switch
            {
                (true, true) => Text == other.Text,
                (true, false) => Wildcard.IsMatch(other.Text, Text) && (!other.IsRegistry || LooksLikeRegistry),
                (false, true) => other.MayBe(this),
                _ => true,
            };

        private bool LooksLikeRegistry => Text.AsSpan().ContainsAny('.', '_') || Text == "localhost";
    }
}
