namespace ProxySwapper.Configuration;

/// <summary>
/// One entry of <c>rules</c>: either <see cref="Match"/> with <see cref="Target"/>, or <see cref="MatchRegex"/> with <see cref="Replace"/>.
/// </summary>
internal sealed record RuleOptions
{
    public string? Match { get; init; }
    public string? Target { get; init; }
    public string? MatchRegex { get; init; }
    public string? Replace { get; init; }
    public IReadOnlyList<string> Namespaces { get; init; } = [];

    /// <summary>False where the target fetches images itself, like a pull-through cache on each node: nothing is copied there.</summary>
    public bool Populate { get; init; } = true;

    /// <summary>
    /// A Secret in the Pod's namespace with credentials for the target, added to
    /// the <c>imagePullSecrets</c> of Pods whose images went there;
    /// or null.
    /// </summary>
    public string? PullSecret { get; init; }

    /// <summary>
    /// True to allow images of several registries under one name: anyone who can push to one of them can replace images of the others.
    /// </summary>
    public bool AllowSharedTarget { get; init; }
}
