using System.Text.RegularExpressions;
using FsCheck;
using FsCheck.Fluent;
using ProxySwapper.Patterns;

namespace ProxySwapper.Tests.Patterns;

/// <summary>Expressions that backtracking matches in few steps need no automaton, and match the same.</summary>
[TestFixture]
internal sealed class BacktrackingBoundTests
{
    private const RegexOptions Automaton = RegexOptions.NonBacktracking | RegexOptions.CultureInvariant;

    private static readonly Gen<string> Atoms = Gen.Elements(
        "a",
        "b",
        @"\.",
        ".",
        "/",
        "[ab]",
        "[^a/]",
        @"\w",
        @"\s",
        @"\d",
        @"[\w.]",
        "[#b]",
        @"\b",
        "(a)",
        "(a|b)",
        "(?:ab|b)",
        "(a|)",
        "(?<n>[ab]*)",
        "([^/]+)",
        "(.*)"
    );

    /// <summary>Without <c>??</c>, for which the automaton is wrong: in <c>ab</c>, the group of <c>.*?a??(a?)</c> captures all.</summary>
    private static readonly Gen<string> Quantifiers = Gen.Elements("", "", "", "", "?", "*", "*?", "+", "+?", "{2}", "{1,3}", "{2,}");

    private static readonly Gen<string> Repeated =
        from atom in Atoms
        from quantifier in Quantifiers
        select atom == @"\b" ? atom : atom + quantifier;

    private static readonly Gen<string> Patterns =
        from count in Gen.Choose(1, 6)
        from parts in Gen.ListOf(Repeated, count)
        from form in Gen.Elements("{0}", "{0}", "({0})?/(.*)", "a({0}|/b)/b*", "{0}|(a+)/", "(aa|ab|b+|{0})[ab]*")
        select form.Replace("{0}", string.Concat(parts), StringComparison.Ordinal);

    private static readonly Gen<string[]> Texts =
        from texts in Gen.ArrayOf(Gen.ArrayOf(Gen.Elements("aaabbb//.:1 #\né".ToCharArray())), 30)
        select texts.Select(text => new string(text)).ToArray();

    private int _small;

    [FsCheck.NUnit.Property(MaxTest = 1500)]
    public Property They_match_the_same_with_the_same_groups() =>
        Prop.ForAll(Patterns.ToArbitrary(), Texts.ToArbitrary(), (pattern, texts) => FirstDifference(pattern, texts) is null);

    [OneTimeTearDown]
    public void Enough_were_small() => Assert.That(_small, Is.Zero.Or.GreaterThan(100));

    [TestCase("")]
    [TestCase(@"quay\.io/team/(.*)")]
    [TestCase(@"^us-central1-docker\.pkg\.dev/(.*)$")]
    [TestCase(@"rega1\.example\.com/([a-z]+)/(.*)")]
    [TestCase(@"(docker\.io|quay\.io|ghcr\.io)/(.*)")]
    [TestCase(@"quay\.io/([^/]+)/([^/:]+):([^:@]+)(@.*)?")]
    [TestCase(@"quay\.io/([^/]+)/(?<name>.*?)")]
    [TestCase(@"a{300}.{300}")]
    [TestCase("[ab]{1,10}a")]
    [TestCase("(aa|ab|ac|ad|ae|af|ag|ah|ai|aj|ak|al|am|an)/(.*)")]
    [TestCase("aa.*|ab.*|ac.*|ad.*|ae.*|af.*|ag.*|ah.*|ai.*|aj.*|ak.*|al.*")]
    public void Few_steps_are_certain(string pattern)
    {
        Assert.That(BacktrackingBound.IsSmall(pattern, isAnchored: true), Is.True);
        Assert.That(SafeRegex.IsAutomaton(SafeRegex.CompileAnchored(pattern, out _)!), Is.False);
    }

    [TestCase("(.*)/(.*)")]
    [TestCase("(a|aa)*b")]
    [TestCase("(?:ab)+")]
    [TestCase("(a?)?b")]
    [TestCase(@"((a|b*)\b)?/")]
    [TestCase("(?:a?){2}")]
    [TestCase("(?:a|b){0}")]
    [TestCase(".*a.{20}")]
    [TestCase("a*a*a*b")]
    [TestCase("a*b?a*c?a*b")]
    [TestCase("a*(b|)a*(b|)a*")]
    [TestCase("a*(?:b*)a*c*a*")]
    [TestCase(@"\w+\d+x")]
    [TestCase(@"\s*[ #]*\s*[ #]*\s*")]
    [TestCase("[a#]*[#b]*#*c")]
    [TestCase("(a|b)?(a|b)?(a|b)?(a|b)?(a|b)?(a|b)?(a|b)?(a|b)?(a|b)?(a|b)?(a|b)?(a|b)?(a|b)?")]
    [TestCase("(aa|a|aaa|a?|a+|[ab]|a{4}|.|a[ab])/(.*)")]
    [TestCase("(?:[ab]?b|[ab]?a|a|b|.a?|.b?|.c?|.d?|.e?)/(.*)")]
    [TestCase("a{3000}b{3000}", true)]
    [TestCase("(?i)quay")]
    [TestCase(@"\p{L}+")]
    [TestCase("é")]
    public void Few_steps_are_not_certain(string pattern, bool isTooLarge = false)
    {
        Assert.That(BacktrackingBound.IsSmall(pattern, isAnchored: true), Is.False);
        if (!isTooLarge)
            Assert.That(SafeRegex.IsAutomaton(SafeRegex.CompileAnchored(pattern, out _)!), Is.True);
    }

    /// <summary>They may start anywhere, which multiplies their steps.</summary>
    [Test]
    public void Expressions_that_are_not_anchored_have_more_steps()
    {
        Assert.That(BacktrackingBound.IsSmall("quay", isAnchored: false), Is.True);
        Assert.That(BacktrackingBound.IsSmall("[a-z]+/", isAnchored: false), Is.False);
    }

    [TestCase(@"^quay\.io/a(.*)", "quay.io/a")]
    [TestCase("[a]b+", "a")]
    [TestCase("a|ab", "")]
    [TestCase("a?b", "")]
    [TestCase("(?i)ab", "")]
    [TestCase(@"\d1", "")]
    public void The_text_that_all_matches_begin_with(string pattern, string start)
    {
        Assert.That(PortableRegexReader.TryRead(pattern, out var regex, out _), Is.True);
        Assert.That(regex!.LiteralStart, Is.EqualTo(start));
    }

    private string? FirstDifference(string pattern, string[] texts)
    {
        if (pattern.Split("?<n>").Length > 2 || !BacktrackingBound.IsSmall(pattern, isAnchored: true))
            return null;
        _small++;
        var compiled = SafeRegex.CompileAnchored(pattern, out _)!;
        var reference = new Regex($"^(?:{pattern})$", Automaton);
        return texts.FirstOrDefault(text => Describe(compiled, text) != Describe(reference, text));
    }

    private static string Describe(Regex regex, string text) =>
        regex.Match(text) is { Success: true } match
            ? string.Join(' ', match.Groups.Values.Select(group => $"{group.Name}:{group.Success}:{group.Index}:{group.Length}"))
        : regex.IsMatch(text) ? "only IsMatch"
        : "none";
}
