using System.Buffers;

namespace ProxySwapper.Patterns;

/// <summary>
/// The syntax of Kubernetes labels
/// (<see href="https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/#syntax-and-character-set"/>).
/// </summary>
internal static class LabelSyntax
{
    private const int MaximumNameLength = 63;

    private static readonly SearchValues<char> NameCharacters = SearchValues.Create(
        "-_.0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
    );

    /// <summary>A name, or a DNS subdomain, a slash and a name; annotation keys have the same syntax.</summary>
    public static bool IsKey(string text) =>
        text.Split('/') switch
        {
            [var name] => IsName(name),
            [var prefix, var name] => IsName(name) && ObjectName.IsValid(prefix),
            _ => false,
        };

    public static bool IsValue(string text) => text.Length == 0 || IsName(text);

    /// <summary>A key without a prefix.</summary>
    public static bool IsName(string text) =>
        text.Length is > 0 and <= MaximumNameLength
        && char.IsAsciiLetterOrDigit(text[0])
        && char.IsAsciiLetterOrDigit(text[^1])
        && !text.AsSpan().ContainsAnyExcept(NameCharacters);
}
