using ProxySwapper.Mirroring;

namespace ProxySwapper.Tests.Mirroring;

[TestFixture]
internal sealed class MirrorShardTests
{
    [TestCase("0/1"), TestCase("2/3"), TestCase("0/100")]
    public void Is_parsed(string text) =>
        Assert.That(MirrorShard.TryParse(text, out var shard) ? shard.ToString() : null, Is.EqualTo(text));

    [TestCase(""), TestCase("1"), TestCase("3/3"), TestCase("-1/3"), TestCase("1/0"), TestCase("a/b"), TestCase("1/2/3"), TestCase(" 1/2")]
    public void Is_rejected(string text) => Assert.That(MirrorShard.TryParse(text, out _), Is.False);

    [FsCheck.NUnit.Property]
    public bool Every_tag_belongs_to_exactly_one_machine(FsCheck.PositiveInt count, string? tag)
    {
        var image = MirrorFiles.Image("mode: all");
        var shards = Enumerable.Range(0, count.Get % 20 + 1).Select(index => new MirrorShard(index, count.Get % 20 + 1));
        return shards.Count(shard => shard.IncludesRepository(image) && shard.IncludesTag(image, tag ?? "")) == 1;
    }

    [TestCase("mode: highest")]
    [TestCase("mode: higher")]
    public void With_these_modes_a_repository_belongs_to_one_machine_which_takes_its_tags(string mode)
    {
        var image = MirrorFiles.Image(mode);
        var takers = Enumerable
            .Range(0, 7)
            .Select(index => new MirrorShard(index, 7))
            .Where(shard => shard.IncludesRepository(image))
            .ToList();
        Assert.That(takers, Has.Count.EqualTo(1));
        Assert.That(takers[0].IncludesTag(image, "1.0"), Is.True);
    }

    [Test]
    public void The_split_is_even_and_stable()
    {
        var image = MirrorFiles.Image("mode: all");
        var sizes = Enumerable
            .Range(0, 4)
            .Select(index => Enumerable.Range(0, 1000).Count(tag => new MirrorShard(index, 4).IncludesTag(image, $"1.{tag}")))
            .ToList();
        Assert.That(sizes, Is.EqualTo(new[] { 250, 250, 250, 250 }).Within(40));
        Assert.That(Enumerable.Range(0, 12).Where(tag => new MirrorShard(0, 4).IncludesTag(image, $"1.{tag}")), Is.EqualTo(new[] { 3, 9 }));
    }
}
