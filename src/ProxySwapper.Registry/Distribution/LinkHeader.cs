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
        if (LinkHeaderParser.Parse(links) is not { } parsed)
            throw Unusable(page, response, links, "cannot be read");
        // A link without a relation can only be the next page.
        if (
            parsed.FirstOrDefault(link => link.Relations is null || link.Relations.Contains("next", StringComparer.OrdinalIgnoreCase))
            is not { } found
        )
            return null;
        var target = found.Target;
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
}
