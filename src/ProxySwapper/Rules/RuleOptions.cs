namespace ProxySwapper.Rules;

/// <summary>One entry of <c>rules</c>: either <see cref="Match"/> with <see cref="Target"/>, or <see cref="MatchRegex"/> with <see cref="Replace"/>.</summary>
internal sealed record RuleOptions
{
    public string? Match { get; init; }
    public string? Target { get; init; }
    public string? MatchRegex { get; init; }
    public string? Replace { get; init; }
    public IReadOnlyList<string> Namespaces { get; init; } = [];
}
