using System.Text.RegularExpressions;
using ProxySwapper.Mirroring;

namespace ProxySwapper.Tests.Mirroring;

/// <summary>Patterns that are compared as text select the same tags as regular expressions.</summary>
[TestFixture]
internal sealed class TagPatternsTests
{
    private static readonly string[] Tags =
    [
        "1",
        "1.27",
        "1.27-alpine",
        "1x27",
        "11.27",
        "latest",
        "late",
        "latestt",
        "a-b",
        "a_b",
        "ab",
        "b",
        "a",
        "1.27.0",
        "v1",
    ];

    [TestCase("1")]
    [TestCase(@"1\.27")]
    [TestCase("1.27")]
    [TestCase(@"^1\.27$")]
    [TestCase(@"1\.27|latest")]
    [TestCase("^a|b$")]
    [TestCase("a||b")]
    [TestCase("(a|b)")]
    [TestCase("[ab]|latest")]
    [TestCase(@"a\-b")]
    [TestCase("a?b")]
    [TestCase("lates(t|tt)")]
    [TestCase("latest+")]
    [TestCase("1{2}.27")]
    [TestCase(@"\w")]
    [TestCase(@"\d\.\d+")]
    [TestCase("(?i)LATEST")]
    [TestCase("v?1.*")]
    [TestCase("$")]
    [TestCase("")]
    public void They_select_the_same_tags_as_regular_expressions(string pattern)
    {
        var regex = new Regex($"^(?:{pattern})$", RegexOptions.NonBacktracking | RegexOptions.CultureInvariant);
        var allowing = new TagPatterns(new TagFilter { Allow = [pattern] });
        var denying = new TagPatterns(new TagFilter { Deny = [pattern] });
        Assert.That(Tags.Where(allowing.IsAllowed), Is.EqualTo(Tags.Where(tag => regex.IsMatch(tag))));
        Assert.That(Tags.Where(denying.IsAllowed), Is.EqualTo(Tags.Where(tag => !regex.IsMatch(tag))));
    }

    [Test]
    public void Several_allow_and_deny()
    {
        var patterns = new TagPatterns(new TagFilter { Allow = [@"1\.27", "latest", ".*-alpine"], Deny = ["late.*", "nothing"] });
        Assert.That(Tags.Where(patterns.IsAllowed), Is.EqualTo(["1.27", "1.27-alpine"]));
    }
}
