using ProxySwapper.Registry;
using ProxySwapper.Registry.Distribution;
using ProxySwapper.Registry.Transport;

namespace ProxySwapper.Tests.Registry.Distribution;

/// <summary>A list continues at its own address or fails; it never ends early because a link was not understood.</summary>
[TestFixture]
internal sealed class LinkHeaderTests
{
    private const string Page = "https://r.example.com/v2/a/tags/list";

    [TestCase("</v2/a/tags/list?last=b>; rel=\"next\"", "?last=b")]
    [TestCase("<list?last=b>;rel=next", "?last=b")]
    [TestCase("<https://r.example.com/v2/x?a=1>; rel=\"prev\", <https://r.example.com/v2/y?b=2>; title=\"a;b\"; rel=\"next\"", "?b=2")]
    [TestCase("<?last=b>; REL = \"next last\"", "?last=b")]
    [TestCase("<?last=b>", "?last=b", Description = "without a relation it can lead nowhere but on")]
    [TestCase("<http://r.example.com/v2/a/tags/list?last=b>; rel=\"next\"", "?last=b", Description = "TLS ends before the registry: Nexus")]
    [TestCase("<https://r.example.com:8443/v2/a/tags/list?last=b>; rel=\"next\"", "?last=b")]
    [TestCase("<http://pulp-internal:24816/v2/a/tags/list?last=b%2Fc>; rel=\"next\"", "?last=b%2Fc", Description = "Pulp")]
    [TestCase("<https://eu-docker.pkg.dev/v2/k8s/images/a/tags/list?n=9&last=b>; rel=\"next\"", "?n=9&last=b")]
    [TestCase("<list?last=a,<b>; rel=next", "?last=a,<b", Description = "a comma separates nothing inside of a URL")]
    [TestCase("<list?a=1,2>; rel=prev, <list?b=1,2;c>; rel=next", "?b=1,2;c")]
    [TestCase("<x?a=1>; rel=prev, <x?b=2>; rel=next,<x?c=3>; rel=last", "?b=2", Description = "both separators")]
    [TestCase("<x?a=1>; rel=prev,<x?b=2>; rel=next, <x?c=3>; rel=last", "?b=2")]
    [TestCase("<x?a=1>; rel=prev , <x?b=2>; rel=next", "?b=2")]
    [TestCase("<x?a=1>; title=\", <x?z=0>; rel=next\"; rel=prev, <x?b=2>; rel=next", "?b=2", Description = "nor in a quoted string")]
    [TestCase("<x?a=1>; title=\"\\\"; rel=next\"; rel=prev, <x?b=2>;rel=next;rel=prev", "?b=2", Description = "the first rel counts")]
    public void The_next_page_is_the_same_address_with_the_query_of_the_link(string link, string query) =>
        Assert.That(Next(link)?.Address.ToString(), Is.EqualTo(Page + query));

    [TestCase("</v2/a/tags/list?last=b>; rel=\"prev\"")]
    [TestCase("<https://elsewhere.example.com/style.css>; rel=preload")]
    public void Another_relation_is_the_end(string link) => Assert.That(Next(link), Is.Null);

    [TestCase("nonsense", "cannot be read")]
    [TestCase("<unclosed", "cannot be read")]
    [TestCase("</v2/a/tags/list?a=1>; rel=prev, nonsense", "cannot be read")]
    [TestCase("</v2/a/tags/list>; rel=\"next\"", "has no query")]
    [TestCase("<https://elsewhere.example.com/v2/page/2>; rel=\"next\"", "has no query")]
    [TestCase("<http://[>; rel=\"next\"", "is not a URL")]
    public void What_cannot_be_followed_is_an_error(string link, string reason) =>
        Assert.That(
            () => Next(link),
            Throws
                .InstanceOf<RegistryException>()
                .With.Message.Contain(reason)
                .And.Message.Contain("r.example.com/a")
                .And.Message.Contain(link)
        );

    private static RegistryRequest? Next(string link)
    {
        using var message = new HttpResponseMessage();
        message.Headers.TryAddWithoutValidation("Link", link);
        var request = new RegistryRequest(HttpMethod.Get, RegistryName.Parse("r.example.com"), "a", new Uri(Page)) { Expected = [] };
        // After a redirect, another host has responded: its links are relative to it.
        using var response = new RegistryResponse(
            message,
            new Uri("https://cdn.example.com/x"),
            new RegistryOptions(),
            TimeProvider.System
        );
        return LinkHeader.Next(response, request);
    }
}
