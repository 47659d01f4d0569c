using ProxySwapper.Registry.Transport;

namespace ProxySwapper.Registry.Distribution;

/// <summary>The header <c>Link</c> to a list's next page (<see href="https://www.rfc-editor.org/rfc/rfc8288">RFC 8288</see>).</summary>
internal static class LinkHeader
{
    /// <summary>
    /// The request for the next page; null at the end. Only the query of the link is used: origin and path stay those of the list, since
    /// registries behind proxies and redirects return internal hosts and other schemes.
    /// </summary>
    /// <exception cref="RegistryException">The next page cannot be requested: a list must never end silently.</exception>
    public static RegistryRequest? Next(RegistryResponse response, RegistryRequest page)
    {
        if (response.Header("Link") is not { } links)
            return null;
        if (TargetOfNext(links) is not { } target)
            return IsReadable(links) ? null : throw Unusable(page, response, links, "cannot be read");
        if (!Uri.TryCreate(page.Address, target, out var address))
            throw Unusable(page, response, links, "is not a URL");
        if (address.Query.Length <= 1)
            throw Unusable(page, response, links, "has no query for the next page");
        var next = new UriBuilder(page.Address) { Query = address.Query }.Uri;
        if (next == page.Address)
            throw Unusable(page, response, links, "points to the same page again, so the list would not end");
        return page with { Address = next };
    }

    private static RegistryException Unusable(RegistryRequest page, RegistryResponse response, string links, string why) =>
        page.Fault(response.Status, $"the Link header of the list {why}: {links}");

    private static bool IsReadable(string links) =>
        links.Contains('<', StringComparison.Ordinal) && links.Contains('>', StringComparison.Ordinal);

    private static string? TargetOfNext(string links)
    {
        for (var open = links.IndexOf('<'); open >= 0; open = links.IndexOf('<', open + 1))
        {
            var close = links.IndexOf('>', open);
            if (close < 0)
                return null;
            var end = links.IndexOf(",<", close, StringComparison.Ordinal) is >= 0 and var tight
                ? tight
                : links.IndexOf(", <", close, StringComparison.Ordinal);
            if (IsNext(links.AsSpan(close + 1, (end < 0 ? links.Length : end) - close - 1)))
                return links[(open + 1)..close];
        }
        return null;
    }

    /// <summary>A relation may be one of several, and a link without a relation can only be the next page.</summary>
    private static bool IsNext(ReadOnlySpan<char> parameters)
    {
        var hasRelation = false;
        foreach (var range in parameters.Split(';'))
        {
            var parameter = parameters[range].Trim();
            if (!parameter.StartsWith("rel", StringComparison.OrdinalIgnoreCase) || parameter[3..].TrimStart() is not ['=', .. var value])
                continue;
            hasRelation = true;
            foreach (var relation in value.Trim().Trim('"').ToString().Split(' '))
                if (relation.Equals("next", StringComparison.OrdinalIgnoreCase))
                    return true;
        }
        return !hasRelation;
    }
}
