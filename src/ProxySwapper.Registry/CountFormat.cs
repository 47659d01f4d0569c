using System.Globalization;

namespace ProxySwapper.Registry;

/// <summary>Human-readable counts: <c>1 image</c>, <c>2 images</c>.</summary>
public static class CountFormat
{
    /// <summary>Formats a count of things whose plural ends in s.</summary>
    /// <param name="count">How many there are.</param>
    /// <param name="noun">One of them.</param>
    public static string Format(long count, string noun) =>
        string.Create(CultureInfo.InvariantCulture, $"{count} {noun}{(count == 1 ? "" : "s")}");
}
