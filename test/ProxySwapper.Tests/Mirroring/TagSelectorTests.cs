using ProxySwapper.Mirroring;

namespace ProxySwapper.Tests.Mirroring;

[TestFixture]
internal sealed class TagSelectorTests
{
    private static IEnumerable<TestCaseData> Selections() =>
        from line in System.IO.File.ReadLines(Path.Combine(AppContext.BaseDirectory, "testdata", "mirror", "selections.txt")).Index()
        where line.Item.Length > 0 && !line.Item.StartsWith('#')
        let cells = Cells(line.Item)
        select new TestCaseData(cells[0].Trim('"'), Tags(cells[1]), Tags(cells[2]), Tags(cells[3])).SetName(
            $"line {line.Index + 1}: {line.Item}"
        );

    [TestCaseSource(nameof(Selections))]
    public void A_run_results_in_these_tags(string settings, List<string> source, List<string> destination, List<string> after)
    {
        var image = MirrorFiles.Image(settings);
        var selection = TagSelector.Select(image.Filter, source, destination);
        Assert.That(destination.Union(selection.Tags), Is.EquivalentTo(after));
    }

    [Test]
    public void The_table_has_at_least_120_cases() => Assert.That(Selections().Count(), Is.AtLeast(120));

    [Test]
    public void Higher_says_why_an_empty_destination_stays_empty()
    {
        var selection = TagSelector.Select(MirrorFiles.Image("mode: higher").Filter, ["1.0.0"], []);
        Assert.That(selection.Explanation, Does.Contain("higher-from"));
    }

    [Test]
    public void No_version_at_all_is_reported() =>
        Assert.That(TagSelector.Select(MirrorFiles.Image("mode: semver").Filter, ["latest"], []).Explanation, Does.Contain("no version"));

    [TestCase("mode: all", "", "the source has no tags")]
    [TestCase("mode: highest", "", "the source has no tags")]
    [TestCase("mode: all, tags: {allow: [x]}", "a b", "no tag of the source matches the settings")]
    [TestCase("mode: all, tags: {deny: [a]}", "a", "no tag of the source matches the settings")]
    [TestCase("mode: all", "a -b c!", "the source lists 2 that cannot be requested, since they are not valid tags: '-b', 'c!'")]
    [TestCase("mode: semver", "1.0 2.0+x", "the source lists 1 that cannot be requested, since they are not valid tags: '2.0+x'")]
    [TestCase("mode: all", "a -1 -2 -3 -4 -5 -6 -7", "are not valid tags: '-1', '-2', '-3', '-4', '-5' and 2 more")]
    [TestCase("mode: all, tags: {deny: [-b]}", "a -b", null)]
    [TestCase("mode: all", "a b", null)]
    public void What_is_left_out_unexpectedly_is_named(string settings, string source, string? omission)
    {
        var tags = source.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        var omissions = TagSelector.Select(MirrorFiles.Image(settings).Filter, tags, []).Omissions.ToList();
        if (omission is null)
            Assert.That(omissions, Is.Empty);
        else
            Assert.That(omissions.Single(), Does.EndWith(omission));
    }

    [Test]
    public void Tags_come_lowest_version_first() =>
        Assert.That(
            TagSelector.Select(MirrorFiles.Image("mode: semver").Filter, ["1.10", "1.9", "2.0"], []).Tags,
            Is.EqualTo(new[] { "1.9", "1.10", "2.0" })
        );

    private static string[] Cells(string line) =>
        line.StartsWith('"')
            ?
            [
                line[1..line.IndexOf("\" | ", StringComparison.Ordinal)],
                .. line[(line.IndexOf("\" | ", StringComparison.Ordinal) + 4)..].Split(" | "),
            ]
            : line.Split(" | ");

    private static List<string> Tags(string cell) => cell == "-" ? [] : [.. cell.Split(' ').SelectMany(Expand)];

    private static IEnumerable<string> Expand(string word)
    {
        if (word.Split('*') is [var count, var text])
            return [string.Concat(Enumerable.Repeat(text, int.Parse(count)))];
        if (word.Split("..") is not [var first, var last] || !int.TryParse(last, out var end) || end < 1000)
            return [word];
        var digits = first.Length - first.AsSpan().LastIndexOfAnyExceptInRange('0', '9') - 1;
        var start = int.Parse(first[^digits..]);
        return Enumerable.Range(start, end - start + 1).Select(number => first[..^digits] + number);
    }
}
