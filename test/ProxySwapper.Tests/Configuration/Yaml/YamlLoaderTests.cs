using ProxySwapper.Configuration.Yaml;
using YamlDotNet.Core;
using YamlDotNet.RepresentationModel;

namespace ProxySwapper.Tests.Configuration.Yaml;

[TestFixture]
internal sealed class YamlLoaderTests
{
    [TestCase("[", "]"), TestCase("{a: ", "}")]
    public void Nesting_has_a_limit(string open, string close)
    {
        Assert.That(() => YamlLoader.Load(Nested(BoundedYamlParser.MaximumDepth)), Throws.Nothing);
        Assert.That(
            () => YamlLoader.Load(Nested(BoundedYamlParser.MaximumDepth + 1)),
            Throws.InstanceOf<YamlException>().With.Message.Contain("nested deeper than 64")
        );
        // Deep enough to crash a process that builds the tree recursively.
        Assert.That(() => YamlLoader.Load(Nested(30_000)), Throws.InstanceOf<YamlException>());

        string Nested(int depth) => string.Concat(Enumerable.Repeat(open, depth)) + "x" + string.Concat(Enumerable.Repeat(close, depth));
    }

    [TestCase("BOMa: 1")]
    [TestCase("BOMBOMa: 1")]
    [TestCase("x: 1\n---\nBOMa: 1")]
    [TestCase("x: 1\nBOM---\na: 1")]
    [TestCase("x: 1\r\n---\r\nBOMa: 1")]
    [TestCase("BOM# a comment\nBOMa: 1")]
    public void A_byte_order_mark_is_no_part_of_a_key(string text)
    {
        var last = (YamlMappingNode)YamlLoader.Load(text.Replace("BOM", "\uFEFF", StringComparison.Ordinal))[^1].RootNode;
        Assert.That(last.Children.Keys.Select(key => ((YamlScalarNode)key).Value), Is.EqualTo(new[] { "a" }));
    }

    [Test]
    public void A_byte_order_mark_in_a_value_stays() =>
        Assert.That(
            ((YamlMappingNode)YamlLoader.Load("a: \"x\uFEFFy\"")[0].RootNode).Children.Values.Select(value =>
                ((YamlScalarNode)value).Value
            ),
            Is.EqualTo(new[] { "x\uFEFFy" })
        );

    [Test]
    public void Block_style_nests_as_deep_as_flow_style() =>
        Assert.That(
            () => YamlLoader.Load(string.Concat(Enumerable.Repeat("- ", 30_000)) + "x"),
            Throws.InstanceOf<YamlException>().With.Message.Contain("nested deeper than 64")
        );

    [Test]
    public void An_alias_counts_with_its_content()
    {
        var text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
        for (var level = 1; level < 10; level++)
            text += $"a{level}: &a{level} [{string.Join(", ", Enumerable.Repeat($"*a{level - 1}", 10))}]\n";
        Assert.That(() => YamlLoader.Load(text), Throws.InstanceOf<YamlException>().With.Message.Contain("more than 500000 values"));
        var deep = "a0: &a0 x\n";
        for (var level = 1; level < 70; level++)
            deep += $"a{level}: &a{level} [*a{level - 1}]\n";
        Assert.That(() => YamlLoader.Load(deep), Throws.InstanceOf<YamlException>().With.Message.Contain("nested deeper"));
        Assert.That(
            () => YamlLoader.Load("&a [b, {c: *a}]"),
            Throws.InstanceOf<YamlException>().With.Message.Contain("'a' contains itself")
        );
    }

    [Test]
    public void Merge_keys_are_resolved_as_kubectl_does()
    {
        const string Text = """
            base: &base {a: 1, b: 1}
            more: &more {<<: *base, b: 2, c: 2}
            one: {<<: *more, c: 3}
            list: {<<: [*base, *more], d: 4}
            quoted: {"<<": 5}
            """;
        var root = (YamlMappingNode)YamlLoader.Load(Text).Single().RootNode;
        Assert.Multiple(() =>
        {
            Assert.That(Members("one"), Is.EquivalentTo(new[] { "a: 1", "b: 2", "c: 3" }));
            Assert.That(Members("list"), Is.EquivalentTo(new[] { "a: 1", "b: 1", "c: 2", "d: 4" }));
            Assert.That(Members("quoted"), Is.EquivalentTo(new[] { "<<: 5" }));
        });

        IEnumerable<string> Members(string key) =>
            ((YamlMappingNode)root.Children[new YamlScalarNode(key)]).Children.Select(pair => $"{pair.Key}: {pair.Value}");
    }

    [TestCase("a: {<<: 1}"), TestCase("a: {<<: [1]}")]
    public void Only_mappings_can_be_merged(string text) =>
        Assert.That(() => YamlLoader.Load(text), Throws.InstanceOf<YamlException>().With.Message.Contain("'<<' must be a mapping"));

    [
        TestCase("a: {x: 1,\n !!str x: 2}"),
        TestCase("a: {x: 1,\n ! x: 2}"),
        TestCase("a: {x: 1,\n !own x: 2}"),
        TestCase("a: {x: 1,\n x: 2}")
    ]
    public void A_key_is_the_same_whatever_its_tag(string text)
    {
        var fault = Assert.Throws(Is.InstanceOf<YamlException>(), () => YamlLoader.Load(text)) as YamlException;
        Assert.That(fault!.Message, Is.EqualTo("Duplicate key x").IgnoreCase);
        Assert.That(fault.Start.Line, Is.EqualTo(2));
    }

    [Test]
    public void A_tagged_string_is_one_in_quotes()
    {
        var root = (YamlMappingNode)YamlLoader.Load("!!str a: !!str 7\nb: ! 8\nc: &c !!str 9\nd: *c").Single().RootNode;
        Assert.That(root.Children.Keys, Is.EqualTo(new[] { "a", "b", "c", "d" }.Select(key => new YamlScalarNode(key))));
        Assert.That(
            root.Children.Values.Cast<YamlScalarNode>().Select(value => (value.Value, value.Style)),
            Is.EqualTo(new[] { "7", "8", "9", "9" }.Select(value => (value, ScalarStyle.DoubleQuoted)))
        );
    }
}
