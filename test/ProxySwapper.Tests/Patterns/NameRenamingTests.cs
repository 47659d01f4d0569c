using ProxySwapper.Patterns;

namespace ProxySwapper.Tests.Patterns;

/// <summary>A regular expression only counts as a renaming if no two names can become one by it.</summary>
[TestFixture]
internal sealed class NameRenamingTests
{
    [TestCase(@"quay\.io/(.*)", "r.example/quay/$1", "quay.io/", "r.example/quay/")]
    [TestCase(@"^quay[.]io/(.*)$", "R.example/quay/${1}", "quay.io/", "r.example/quay/")]
    [TestCase(@"registry\.k8s\.io/coredns/((?:a|b[^/)(]|\(|\)x)+:.*)", "r.example/$1", "registry.k8s.io/coredns/", "r.example/")]
    [TestCase(@"(quay\.io/(coreos|prometheus)/.*)", "r.example/m/$1", "", "r.example/m/")]
    [TestCase(@"quay\.io(.*)", "r.example/$1", "quay.io", "r.example/")]
    [TestCase(@"a:5000/x-(.*)", "r.example/y-$1", "a:5000/x-", "r.example/y-")]
    public void Another_start_with_the_rest_kept_is_a_renaming(string pattern, string replacement, string source, string target)
    {
        Assert.That(SafeRegex.CompileAnchored(pattern, out _), Is.Not.Null);
        Assert.That(NameRenaming.Of(pattern, replacement), Is.EqualTo(new NameRenaming(source, target)));
    }

    [TestCase("[^/]+/(library/nginx:1.*)", "r.example/$1")]
    [TestCase("registry.k8s.io/(.*)", "r.example/$1", Description = "also matches registry-k8s.io")]
    [TestCase(@"quay\.io/?(.*)", "r.example/$1", Description = "also matches quay.ioevil.com")]
    [TestCase(@"quay\.io/*(.*)", "r.example/$1")]
    [TestCase(@"quay\.io/(a)|evil\.com/(.*)", "r.example/$1")]
    [TestCase(@"quay\.io/(.*)|evil\.com/(.*)", "r.example/$1")]
    [TestCase(@"quay\.io/[^/]+/(.*)", "r.example/$1", Description = "repositories of two owners")]
    [TestCase(@"quay\.io/(.*):.*", "r.example/$1:1")]
    [TestCase(@"quay\.io/(.*)-.*", "r.example/$1")]
    [TestCase(@"quay\.io/(?:a|b)(.*)", "r.example/$1")]
    [TestCase(@"quay\.io/((?i)a|b)", "r.example/$1")]
    [TestCase(@"quay\.io/((?#)a)|b.com/c)", "r.example/$1")]
    [TestCase(@"quay\.io/(?<name>.*)", "r.example/${name}")]
    [TestCase(@"quay\.io/(.*)", "r.example/one:1")]
    [TestCase(@"quay\.io/(.*)", "r.example/$1-alpine")]
    [TestCase(@"quay\.io/(.*)", "r.example/$1$1")]
    [TestCase(@"quay\.io/(.*)", "r.example/$$1")]
    [TestCase(@"quay\.io/([a-z-[aeiou]]+)", "r.example/$1")]
    [TestCase(@"quay\.io/([^](]*)/(?:[^])]*)", "r.example/$1", Description = "a bracket is literal at the start of a class")]
    [TestCase(@"quay\.io/([](a-z]*)/(?:[])a-z]*)", "r.example/$1")]
    [TestCase(@"quay\.io/(a|[\c](])/(?:b|c|[\c])])", "r.example/$1", Description = "a bracket belongs to \\c")]
    [TestCase(@"quay\.io/(a|\c[)/(?:x]|b|c)", "r.example/$1")]
    public void A_pattern_that_does_more_than_rename_is_not_a_renaming(string pattern, string replacement) =>
        Assert.That(NameRenaming.Of(pattern, replacement), Is.Null);
}
