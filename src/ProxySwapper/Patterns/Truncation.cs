using ProxySwapper.Registry;

namespace ProxySwapper.Patterns;

/// <summary>Shortens external text in warnings, whose length is limited: an image name can be as long as the request.</summary>
internal static class Truncation
{
    /// <summary>Length of an image name in a warning, so that the reason after it is not cut off.</summary>
    private const int MaximumImageLength = 80;

    /// <summary>An image as it is shown in a warning: shortened, and without the password that an invalid one may have.</summary>
    public static string ShortenImage(string image) => Shorten(UserInfo.Hide(image), MaximumImageLength);

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
