namespace ProxySwapper.Patterns;

/// <summary>
/// The names of Kubernetes objects: DNS subdomains
/// (<see href="https://kubernetes.io/docs/concepts/overview/working-with-objects/names/#dns-subdomain-names"/>).
/// </summary>
internal static class ObjectName
{
    private const int MaximumLength = 253;

    /// <summary>What a name must be, for a message.</summary>
    public const string Rule = "lower-case letters, digits, '-' and '.', the first and last of each part a letter or digit";

    public static bool IsValid(string text) => text.Length <= MaximumLength && text.Split('.').All(IsLabel);

    private static bool IsLabel(string text) =>
        text.Length > 0
        && text[0] != '-'
        && text[^1] != '-'
        && text.All(character => char.IsAsciiLetterLower(character) || char.IsAsciiDigit(character) || character == '-');
}
