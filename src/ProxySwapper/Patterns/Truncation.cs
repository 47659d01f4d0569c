namespace ProxySwapper.Patterns;

/// <summary>Texts from outside in warnings, which are short: an image may be as long as its request.</summary>
internal static class Truncation
{
    /// <summary>As much of an image as a warning shows, so that the reason behind it is not cut off.</summary>
    public const int MaximumShownLength = 80;

    /// <summary>A text of at most this length, with an ellipsis where something was cut off; no character is cut in two.</summary>
    public static string Shorten(string text, int maximumLength)
    {
        if (text.Length <= maximumLength)
            return text;
        var end = maximumLength - 1;
        if (char.IsHighSurrogate(text[end - 1]))
            end--;
        return $"{text.AsSpan(0, end)}…";
    }
}
