using ProxySwapper.Registry.Transport;

namespace ProxySwapper.Registry.Distribution;

/// <summary>
/// The header <c>Link</c> that leads to a list's next page (<see href="https://www.rfc-editor.org/rfc/rfc8288">RFC 8288</see>).
/// </summary>
internal static class LinkHeader
{
    /// <summary>The next page's address; null at the end, and for a page that is elsewhere than the registry, which is not asked.</summary>
    public static Uri? Of(RegistryResponse answer, Uri page)
    {
        if (answer.Header("Link") is not { } links)
            return null;
        for (var open = links.IndexOf('<'); open >= 0; open = links.IndexOf('<', open + 1))
        {
            var close = links.IndexOf('>', open);
            if (close < 0)
                return null;
            var end = links.IndexOf(",<", close, StringComparison.Ordinal) is >= 0 and var tight
                ? tight
                : links.IndexOf(", <", close, StringComparison.Ordinal);
            var parameters = links.AsSpan(close + 1, (end < 0 ? links.Length : end) - close - 1);
            if (!IsNext(parameters))
                continue;
            return Uri.TryCreate(page, links[(open + 1)..close], out var next) && RedirectingSender.IsSameOrigin(next, page) ? next : null;
        }
        return null;
    }

    private static bool IsNext(ReadOnlySpan<char> parameters)
    {
        foreach (var range in parameters.Split(';'))
        {
            var parameter = parameters[range].Trim();
            if (!parameter.StartsWith("rel", StringComparison.OrdinalIgnoreCase))
                continue;
            var value = parameter[3..].TrimStart();
            if (value.StartsWith("=") && value[1..].Trim().Trim('"').Equals("next", StringComparison.OrdinalIgnoreCase))
                return true;
        }
        return false;
    }
}
