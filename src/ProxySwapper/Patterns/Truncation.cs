namespace ProxySwapper.Patterns;

/// <summary>Shortens external text in warnings, whose length is limited: an image name can be as long as the request.</summary>
internal static class Truncation
{
    /// <summary>Length of an image name in a warning, so that the reason after it is not cut off.</summary>
    public const int MaximumShownLength = 80;

    /// <summary>The text, cut to this length with an ellipsis where needed; surrogate pairs stay whole.</summary>
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
