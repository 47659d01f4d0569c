using System.Globalization;
using ProxySwapper.Configuration.Yaml;
using ProxySwapper.Mirroring;

namespace ProxySwapper.Tests.Mirroring;

/// <summary>Images that could give one tag of one destination different content are rejected.</summary>
[TestFixture]
internal sealed class SharedDestinationTests
{
    private static readonly string[] Ranges =
    [
        ">=1.2",
        "<1.2",
        "<=1.2",
        ">1.2",
        ">1.2.3",
        "<1.2.3",
        "!=1.2.3",
        "!=1.2",
        "=1.2.3",
        "1.2.4-0",
        "1.2.x",
        "~1.2",
        "~1.2.3-a",
        "^1.2.3",
        "^0.2",
        "^0.0.3",
        "1.2 - 1.4",
        "<1 || >=2",
        ">1.2.3 <1.2.4",
        ">1.2.3-a <1.2.3",
        "*",
    ];

    [TestCase("", "")]
    [TestCase("mode: all", "mode: highest")]
    [TestCase("mode: all, tags: {allow: [latest]}", "mode: all, tags: {allow: ['l.*']}")]
    [TestCase("mode: all, tags: {allow: ['1.27']}", "mode: all, tags: {allow: ['1\\.27']}")]
    [TestCase("mode: all, tags: {allow: ['1\\.[27].*']}", "mode: all, tags: {allow: ['1\\.2.*']}")]
    [TestCase("mode: all, tags: {allow: ['a|(b|c)d']}", "mode: all, tags: {allow: ['c.*']}")]
    [TestCase("mode: all, tags: {allow: ['(?i)edge']}", "mode: all, tags: {allow: [edge.*]}")]
    [TestCase("mode: all, tags: {allow: ['a?b.*']}", "mode: all, tags: {allow: ['b.*']}")]
    [TestCase("mode: all, tags: {allow: ['ab{0}.*']}", "mode: all, tags: {allow: ['a']}")]
    [TestCase("mode: all, tags: {allow: ['\\d.*']}", "mode: all, tags: {allow: ['v.*']}")]
    [TestCase("mode: all, tags: {allow: [latest, '1\\.27']}", "mode: semver, semverRange: '>=1.20'")]
    [TestCase("mode: all, tags: {allow: ['1\\..*', '2\\..*']}", "mode: all, tags: {deny: ['1\\..*']}")]
    [TestCase("mode: semver, compatibility: alpine", "mode: all, compatibility: slim")]
    [TestCase("mode: semver, compatibility: alpine", "mode: semver, allow-prerelease: true")]
    [TestCase("mode: semver, pinned-major: 1", "mode: all, pinned-major: 2")]
    [TestCase("mode: semver, semverRange: '>=1.2 <2'", "mode: semver, semverRange: '^1.5'")]
    [TestCase("platforms: [linux/amd64]", "platforms: [linux/arm64]", "docker.io/team/one")]
    [TestCase("", "platforms: [linux/arm64]", "docker.io/team/one")]
    public void Images_whose_tags_can_be_equal_are_rejected(string one, string two, string other = "quay.io/team/two")
    {
        var fault = Assert.Throws<ConfigurationException>(() => Read(one, two, other))!.Faults.Single();
        Assert.That((fault.File, fault.Line, fault.Key), Is.EqualTo(("mirror.yaml", 3, "images.b.destination")));
        Assert.That(
            fault.Message,
            Does.StartWith("is also the destination of images.a, ")
                .And.Contain(other == "docker.io/team/one" ? "with other platforms" : "whose source is docker.io/team/one")
                .And.Contain("set allow-shared-destination: true")
        );
        Assert.That(() => Read($"{one}, allow-shared-destination: true", two, other), Throws.Nothing, "allowed by the first");
        Assert.That(() => Read(one, $"{two}, allow-shared-destination: true", other), Throws.Nothing, "allowed by the second");
    }

    [TestCase("mode: all, tags: {allow: [latest]}", "mode: all, tags: {allow: [edge, '1\\..*']}")]
    [TestCase("mode: all, tags: {allow: ['^latest$']}", "mode: all, tags: {allow: ['la.*'], deny: [latest]}")]
    [TestCase("mode: all, tags: {allow: [latest]}", "mode: semver")]
    [TestCase("mode: all, tags: {allow: ['3']}", "mode: semver, semverRange: '>= 3.12.0'")]
    [TestCase("mode: all, tags: {allow: ['1.27']}", "mode: all, tags: {allow: ['1.28', '1.2']}")]
    [TestCase("mode: all, tags: {allow: ['1\\..*']}", "mode: all, tags: {allow: ['2\\..*|edge', 'v.*']}")]
    [TestCase("mode: all, tags: {allow: ['v1\\.[23]']}", "mode: all, tags: {allow: ['v2\\.[23]']}")]
    [TestCase("mode: all, tags: {allow: ['1\\.[27].*']}", "mode: all, tags: {deny: ['1\\.[27].*']}")]
    [TestCase("mode: semver, compatibility: alpine", "mode: highest, compatibility: slim")]
    [TestCase("mode: semver, compatibility: alpine", "mode: semver")]
    [TestCase("mode: semver, pinned-major: 1", "mode: higher, pinned-major: 2")]
    [TestCase("mode: semver, semverRange: '>=3.4 <3.6'", "mode: semver, semverRange: '>=3.6'")]
    [TestCase("platforms: [linux/amd64, linux/arm64]", "platforms: [linux/arm64, linux/amd64]", "docker.io/team/one")]
    [TestCase("mode: all", "mode: semver, newest: 3", "index.docker.io/team/one")]
    public void Images_whose_tags_cannot_be_equal_are_accepted(string one, string two, string other = "quay.io/team/two") =>
        Assert.That(Read(one, two, other).Images, Has.Count.EqualTo(2));

    [Test]
    public void The_old_name_of_the_destination_is_the_one_that_is_reported() =>
        Assert.That(
            () =>
                MirrorFileReader.ReadText(
                    "mirror.yaml",
                    "images: {a: {source: x/a, destination: R.example:443/x}, b: {upstream: x/b, downstream: r.example/x}}"
                ),
            Throws.TypeOf<ConfigurationException>().With.Message.StartsWith("mirror.yaml:1:89: images.b.downstream: is also")
        );

    /// <summary>Patterns are read once for each image: for each pair, twice the images would allocate four times as much.</summary>
    [TestCase("1\\.{0}")]
    [TestCase("1\\.{0}-.*")]
    public void Images_are_prepared_once_however_many_share_a_destination(string pattern)
    {
        Allocated(10);
        Assert.That(Allocated(1200), Is.LessThan(3 * Allocated(600)));

        long Allocated(int count)
        {
            var images = Enumerable
                .Range(10_000, count)
                .Select(number => string.Format(CultureInfo.InvariantCulture, pattern, number))
                .Select(
                    (tag, index) =>
                        $"  a{index}: {{source: quay.io/a/{index}, destination: r.example/x, mode: all, tags: {{allow: ['{tag}']}}}}\n"
                );
            var text = $"images:\n{string.Concat(images)}";
            var before = GC.GetAllocatedBytesForCurrentThread();
            Assert.That(MirrorFileReader.ReadText("mirror.yaml", text).Images, Has.Count.EqualTo(count));
            return GC.GetAllocatedBytesForCurrentThread() - before;
        }
    }

    /// <summary>A file may have thousands of them, each of which takes a MiB.</summary>
    [TestCase("p.*x.*", false)]
    [TestCase("z.*x.*", true)]
    public void Patterns_are_only_compiled_for_tags_that_they_can_match(string pattern, bool isCompiled)
    {
        var filter = new TagFilter { Mode = MirrorMode.All, Allow = [pattern] };
        var patterns = new Lazy<TagPatterns>(() => new TagPatterns(filter));
        var listing = new TagOverlap(new TagFilter { Mode = MirrorMode.All, Allow = ["zz"] });
        Assert.That(new TagOverlap(filter).IsPossible(listing, patterns), Is.False);
        Assert.That(patterns.IsValueCreated, Is.EqualTo(isCompiled));
    }

    [Test]
    public void The_first_image_with_an_equal_tag_is_named_whichever_of_them_lists_its_tags()
    {
        const string Text = """
            images:
              a: {source: x/a, destination: r.example/x, mode: all, tags: {allow: ['a.*']}}
              b: {source: x/b, destination: r.example/x, mode: all, tags: {allow: [b, ab]}}
              c: {source: x/c, destination: r.example/x, mode: all, tags: {allow: ['bb*']}}
              d: {source: x/d, destination: r.example/x, mode: all, tags: {allow: [d, b]}}
            """;
        var faults = Assert.Throws<ConfigurationException>(() => MirrorFileReader.ReadText("mirror.yaml", Text))!.Faults;
        Assert.That(
            faults.Select(fault => (fault.Key, fault.Message[..44])),
            Is.EqualTo(
                new[]
                {
                    ("images.b.destination", "is also the destination of images.a, whose s"),
                    ("images.c.destination", "is also the destination of images.b, whose s"),
                    ("images.d.destination", "is also the destination of images.c, whose s"),
                }
            )
        );
    }

    [Test]
    public void Few_patterns_of_an_image_need_an_automaton()
    {
        Assert.That(() => Read(Patterns(20)), Throws.Nothing);
        var fault = Assert.Throws<ConfigurationException>(() => Read(Patterns(21)))!.Faults.Single();
        Assert.That((fault.Key, fault.Line), Is.EqualTo(("images.a.tags.deny[10]", 1)));
        Assert.That(fault.Message, Does.StartWith("at most 20 different regular expressions, of 1500 characters together, "));

        static string Patterns(int count) =>
            $"allow: [{string.Join(", ", Enumerable.Range(0, 10).Select(number => $"'.*{number}.*'"))}], "
            + $"deny: [{string.Join(", ", Enumerable.Range(10, count - 10).Select(number => $"'.*{number}.*'"))}]";
        static MirrorFile Read(string tags) =>
            MirrorFileReader.ReadText("mirror.yaml", $"images: {{a: {{source: x/a, destination: r.example/x, tags: {{{tags}}}}}}}");
    }

    [Test]
    public void Ranges_overlap_where_a_version_is_in_both()
    {
        var versions = (
            from core in new[]
            {
                "0.0.0",
                "0.0.3",
                "0.0.4",
                "0.2.0",
                "0.3.0",
                "1.0.0",
                "1.2.0",
                "1.2.2",
                "1.2.3",
                "1.2.4",
                "1.4.9",
                "2.0.0",
            }
            from rest in new[] { "", "-0", "-0.0", "-a", "-a.0", "-b" }
            select Version($"{core}{rest}")
        ).ToList();
        foreach (var one in Ranges)
        foreach (var two in Ranges)
        {
            var (left, right) = (Range(one), Range(two));
            Assert.That(
                left.MayOverlap(right),
                Is.EqualTo(versions.Exists(version => left.IsMatch(version) && right.IsMatch(version))),
                $"{one} and {two}"
            );
        }
    }

    private static MirrorFile Read(string one, string two, string other) =>
        MirrorFileReader.ReadText(
            "mirror.yaml",
            $$"""
            images:
              a: {source: docker.io/team/one, destination: r.example/x{{Rest(one)}}}
              b: {source: {{other}}, destination: r.example/x{{Rest(two)}}}
            """
        );

    private static string Rest(string settings) => settings.TrimStart(' ', ',') is { Length: > 0 } rest ? $", {rest}" : "";

    private static SemanticVersion Version(string text) =>
        SemanticVersion.TryParse(text, out var version) ? version : throw new FormatException(text);

    private static SemanticVersionRange Range(string text) =>
        SemanticVersionRange.TryParse(text, out var range) ? range : throw new FormatException(text);
}
