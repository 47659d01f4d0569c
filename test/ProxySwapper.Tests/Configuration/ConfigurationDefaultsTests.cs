using System.Collections;
using System.Reflection;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.Extensions.Logging;
using ProxySwapper.Configuration;
using ProxySwapper.Patterns;
using ProxySwapper.Registry;
using ProxySwapper.Testing.Processes;

namespace ProxySwapper.Tests.Configuration;

/// <summary>The defaults in <c>chart/config.schema.json</c>, and therefore in the manual, are those of the options.</summary>
[TestFixture]
internal sealed class ConfigurationDefaultsTests
{
    /// <summary>Keys with another name in the options, or that only affect other keys.</summary>
    private static readonly string[] WithoutProperty = ["management", "populate.platform"];

    private static readonly JsonObject Schema = JsonNode
        .Parse(File.ReadAllText(SourceTree.PathOf("chart", "config.schema.json")))!
        .AsObject();

    [Test]
    public void Each_default_of_the_schema_is_that_of_the_options()
    {
        var compared = 0;
        Compare(Schema, new ProxySwapperOptions(), "", ref compared);
        Compare(ItemsOf("rules"), new RuleOptions(), "rules[].", ref compared);
        Compare(ItemsOf("registries"), new RegistryEntryOptions { Host = default }, "registries[].", ref compared);
        Compare(
            ItemsOf("registries")["properties"]!["createRepositories"]!.AsObject(),
            new CreateRepositoriesOptions(),
            "registries[].createRepositories.",
            ref compared
        );
        Compare(
            Schema["properties"]!["populate"]!["properties"]!["proxyCaches"]!["items"]!.AsObject(),
            new ProxyCacheOptions(),
            "populate.proxyCaches[].",
            ref compared
        );
        Assert.That(compared, Is.AtLeast(60));
    }

    [Test]
    public void Every_default_can_be_written_in_a_file_and_changes_nothing()
    {
        var written = Written(Schema).ToJsonString();
        var read = ConfigurationReader.ReadText("config.yaml", written, EnvironmentVariables.None);
        Assert.That(written, Does.Contain("\"gate\":{\"deadline\":\"1m\""));
        Assert.That(JsonSerializer.Serialize(read), Is.EqualTo(JsonSerializer.Serialize(new ProxySwapperOptions())));
    }

    /// <summary>A file with every default written out.</summary>
    private static JsonObject Written(JsonObject section)
    {
        var file = new JsonObject();
        foreach (var (name, property) in section["properties"]!.AsObject())
            if (property!["default"] is { } value)
                file[name] = value.DeepClone();
            else if (property["properties"] is not null && Written(property.AsObject()) is { Count: > 0 } inner)
                file[name] = inner;
        return file;
    }

    private static void Compare(JsonObject section, object options, string prefix, ref int compared)
    {
        foreach (var (name, property) in section["properties"]!.AsObject())
        {
            if (WithoutProperty.Contains(prefix + name))
                continue;
            var found = options.GetType().GetProperty(name, BindingFlags.Public | BindingFlags.Instance | BindingFlags.IgnoreCase);
            Assert.That(found, Is.Not.Null, $"no option for {prefix}{name}");
            var value = found!.GetValue(options);
            if (property!["properties"] is not null && value is not null)
            {
                Compare(property.AsObject(), value, $"{prefix}{name}.", ref compared);
                continue;
            }
            Assert.That(property["default"]?.ToJsonString(), Is.EqualTo(Text(value)), $"the default of {prefix}{name}");
            compared++;
        }
    }

    /// <summary>A value as written in a file; null for none.</summary>
    private static string? Text(object? value) =>
        value switch
        {
            null or "" or RegistryName { Text: "" } => null,
            TimeSpan time => $"\"{DurationParser.Format(time)}\"",
            LogLevel.Information => "\"info\"",
            Enum member => JsonSerializer.Serialize(JsonNamingPolicy.CamelCase.ConvertName($"{member}")),
            string or bool or int or double => JsonSerializer.Serialize(value),
            IDictionary { Count: 0 } => null,
            IEnumerable list => list.Cast<object>().Any() ? JsonSerializer.Serialize(list.Cast<object>().Select(item => $"{item}")) : null,
            _ => throw new AssertionException($"{value} is of a kind that files do not have"),
        };

    private static JsonObject ItemsOf(string key) => Schema["properties"]![key]!["items"]!.AsObject();
}
