using FsCheck;
using FsCheck.Fluent;
using ProxySwapper.Configuration;
using ProxySwapper.Configuration.Yaml;
using ProxySwapper.Registry;
using ProxySwapper.Rules;

namespace ProxySwapper.Tests.Configuration;

/// <summary>A rule that is accepted without <c>allowSharedTarget</c> never gives images of two registries one name.</summary>
[TestFixture]
internal sealed class RegistrySeparationTests
{
    private static readonly Gen<string> Atoms = Gen.Elements(
        "a",
        "b",
        @"\.",
        ".",
        "[ab]",
        "[^a/]",
        "a?",
        "b*",
        @"\w+",
        "[a-c.]+",
        "[^/]+",
        ".*",
        "(?:a|b)",
        "(?:ab|b)?",
        @"(?:a\.)*",
        "a{2}",
        "c",
        "[.]c"
    );

    private static readonly Gen<string> Parts =
        from atoms in Gen.ArrayOf(Atoms, 2)
        from form in Gen.Elements("{0}", "({0})", "({0})", "({0})?", "({0}|c)", "(({0}))")
        select form.Replace("{0}", string.Concat(atoms), StringComparison.Ordinal);

    private static readonly Gen<(string Pattern, string Replacement)> Rules =
        from start in Gen.ListOf(Parts, 2)
        from end in Gen.Elements("/(.*)", "(/.*)", "/(a/)?(.*)", "/.*")
        from groups in Gen.Choose(0, 4).SelectMany(count => Gen.ListOf(Gen.Choose(0, 4), count))
        from separator in Gen.Elements("/", "-", "", "a/", "/")
        select (string.Concat(start) + end, "r.example/x" + separator + string.Join(separator, groups.Select(number => $"${number}")));

    private static readonly IReadOnlyList<string> Images =
    [
        .. from length in Enumerable.Range(2, 4)
        from number in Enumerable.Range(0, (int)Math.Pow(4, length))
        let registry = string.Concat(Enumerable.Range(0, length).Select(index => "abc."[number / (int)Math.Pow(4, index) % 4]))
        where RegistryName.IsRegistry(registry) && RegistryName.TryParse(registry, out _)
        from path in new[] { "a:1", "a/b:1" }
        select $"{registry}/{path}",
    ];

    private int _accepted;

    [FsCheck.NUnit.Property(MaxTest = 600)]
    public Property Two_registries_never_get_one_name() => Prop.ForAll(Rules.ToArbitrary(), rule => FirstCollision(rule) is null);

    [OneTimeTearDown]
    public void Enough_rules_were_accepted() => Assert.That(_accepted, Is.GreaterThan(60));

    private string? FirstCollision((string Pattern, string Replacement) rule)
    {
        if (Compile(rule) is not { } rules)
            return null;
        _accepted++;
        var sources = new Dictionary<string, ImageReference>(StringComparer.Ordinal);
        foreach (var image in Images.Select(ImageReference.Parse))
        {
            if (rules.Evaluate(image.ToString(), "default").Target is not { } target)
                continue;
            if (!sources.TryAdd(target.ToString(), image) && sources[target.ToString()].Registry != image.Registry)
                return $"{image} and {sources[target.ToString()]} become {target}";
        }
        return null;
    }

    private static RuleSet? Compile((string Pattern, string Replacement) rule)
    {
        try
        {
            var text = $"rules: [{{matchRegex: '{rule.Pattern}', replace: '{rule.Replacement}'}}]";
            return RuleSet.Compile(ConfigurationReader.ReadText("c.yaml", text, EnvironmentVariables.None));
        }
        catch (ConfigurationException)
        {
            return null;
        }
    }
}
