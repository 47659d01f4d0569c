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
    [TestCase("mode: higher", "latest", "no version of the source matches the settings")]
    [TestCase(
        "mode: all",
        "a -b c!",
        "lists 2 that cannot be requested, since they are not valid tags: '-b', 'c!'; tags.deny leaves them out"
    )]
    [TestCase("mode: semver", "1.0 2.0+x", "since they are not valid tags: '2.0+x'; tags.deny leaves them out")]
    [TestCase("mode: all", "a -1 -2 -3 -4 -5 -6 -7", "not valid tags: '-1', '-2', '-3', '-4', '-5' and 2 more; tags.deny leaves them out")]
    public void What_is_not_found_or_not_understood_is_named(string settings, string source, string omission)
    {
        var (text, isUnread) = OmissionsOf(settings, source).Single();
        Assert.That(text, Does.EndWith(omission));
        Assert.That(isUnread, Is.True);
    }

    [TestCase("mode: all, tags: {deny: [-b]}", "a -b")]
    [TestCase("mode: all", "a b")]
    [TestCase("mode: higher", "1.0 1.0.0 2.0", "1.0 2.0")]
    [TestCase("mode: higher", "1.0 2.0", "2.0")]
    [TestCase("mode: higher, newest: 1", "1.0 1.1 2.0", "1.0 2.0")]
    public void Nothing_is_named_where_all_is_as_requested(string settings, string source, string destination = "") =>
        Assert.That(OmissionsOf(settings, source, destination), Is.Empty);

    [Test]
    public void The_mode_higher_names_what_it_passed() =>
        Assert.That(
            OmissionsOf("mode: higher, pinned-major: 1", "0.9 1.0 1.1 1.2 1.3 1.4 1.5 1.6 1.7 1.8 2.0", "1.0.0 1.7"),
            Is.EqualTo(
                new[]
                {
                    (
                        "the destination lacks 1.1, 1.2, 1.3, 1.4, 1.5 and 1 more below its highest version 1.7: mode higher "
                            + "does not go back, mode semver does",
                        false
                    ),
                }
            )
        );

    private static List<(string Text, bool IsUnread)> OmissionsOf(string settings, string source, string destination = "") =>
        [
            .. TagSelector
                .Select(
                    MirrorFiles.Image(settings).Filter,
                    source.Split(' ', StringSplitOptions.RemoveEmptyEntries),
                    destination.Split(' ', StringSplitOptions.RemoveEmptyEntries)
                )
                .Omissions,
        ];

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
