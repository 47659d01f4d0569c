using ProxySwapper.Patterns;

namespace ProxySwapper.Tests.Patterns;

[TestFixture]
internal sealed class PortableRegexReaderTests
{
    [TestCase(@"docker\.io/(.*)")]
    [TestCase("([^/]+)/(.*)")]
    [TestCase(@"(?i)Quay\.io/(?:a|b)+?/[\w.-]{1,3}")]
    [TestCase(@"^(?<host>[^/]*)/[a-z0-9_\-]+$")]
    [TestCase(@"\bx\B|y*?|()")]
    [TestCase(@"[^\]/]*[]a][-b][c-]")]
    [TestCase("(?:a{10}){100}")]
    public void Syntax_that_both_engines_share_is_accepted(string pattern) =>
        Assert.That(PortableRegexReader.TryRead(pattern, out _, out var reason), Is.True, reason);

    [TestCase("[a-z-[aeiou]]", "subtracted")]
    [TestCase(@"\p{L}", @"'\p'")]
    [TestCase(@"a\Z", @"'\Z'")]
    [TestCase(@"\u0041", @"'\u'")]
    [TestCase("(?<a>x)(?<a>y)", "two groups with the name 'a'")]
    [TestCase("(?<1>x)", "letters, digits and '_'")]
    [TestCase("(?x) a b", "'(?x'")]
    [TestCase("(?#c)a", "'(?#'")]
    [TestCase("(?'a'b)", "'(?''")]
    [TestCase("a{", @"write \{")]
    [TestCase("a{,2}", @"write \{")]
    [TestCase("a{1001}", "more than 1000")]
    [TestCase("(?:a{20}){51}", "more than 1000")]
    [TestCase("é", "printable ASCII")]
    [TestCase("[[a]", @"write \[")]
    [TestCase(@"[\w-z]", "a range in a class")]
    public void Syntax_of_only_one_engine_is_rejected_by_name(string pattern, string reason)
    {
        Assert.That(PortableRegexReader.TryRead(pattern, out _, out var actual), Is.False);
        Assert.That(actual, Does.Contain(reason));
    }

    [Test]
    [CancelAfter(10_000)]
    public void Deep_nesting_is_rejected_at_once(CancellationToken cancellationToken)
    {
        Assert.That(PortableRegexReader.TryRead(new string('(', 1000) + new string(')', 1000), out _, out var reason), Is.False);
        Assert.That(reason, Does.Contain("nested deeper than 50"));
        Assert.That(cancellationToken.IsCancellationRequested, Is.False);
    }
}
