namespace ProxySwapper.Patterns;

/// <summary>
/// The names of Kubernetes objects: DNS subdomains
/// (<see href="https://kubernetes.io/docs/concepts/overview/working-with-objects/names/#dns-subdomain-names"/>).
/// </summary>
internal static class ObjectName
{
    private const int MaximumLength = 253;

    /// <summary>What a name must be, for a message.</summary>
    public const string Rule = "lower-case letters, digits, '-' and '.', the first and last a letter or digit";

    public static bool IsValid(string text) =>
        text.Length is > 0 and <= MaximumLength
        && text.All(character => char.IsAsciiLetterLower(character) || char.IsAsciiDigit(character) || character is '-' or '.')
        && char.IsAsciiLetterOrDigit(text[0])
        && char.IsAsciiLetterOrDigit(text[^1]);
}
