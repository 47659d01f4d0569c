using System.Text;
using System.Text.Json;
using ProxySwapper.Testing.Processes;

namespace ProxySwapper.Tests.Documentation;

/// <summary><c>docs/configuration.md</c> is generated from <c>chart/config.schema.json</c>; <c>UPDATE_GOLDEN=1</c> updates it.</summary>
[TestFixture]
internal sealed class ConfigurationPageTests
{
    private const string Beginning = """
        # Configuration

        One YAML file, checked as a whole: every mistake is reported with its line, its key and what is allowed, with exit code 2. It is
        read again when it changes; a change that is not valid keeps the previous one in use. A variable `PROXYSWAPPER_<KEY>`
        (`PROXYSWAPPER_LOG_LEVEL`, `PROXYSWAPPER_POPULATE_POLICY`) wins over the file. This page is generated from
        [config.schema.json](../chart/config.schema.json), also for editors, whose defaults a test compares with the program's.

        A duration is written as `500ms`, `8s`, `1m30s` or `1h`; `0` means none.

        ```yaml
        # config.yaml
        rules:                                   # the first that matches wins
          - match: docker.io                     # a registry, or registry/repository with * and **
            target: 123456789012.dkr.ecr.eu-central-1.amazonaws.com/proxy_docker.io
          - match: quay.io/coreos/**
            target: harbor.example.com/proxy_quay.io
            namespaces: [team-a, "dev-*"]
          - matchRegex: '^us-central1-docker\.pkg\.dev/(.*)$'
            replace: 'localhost:30026/$1'
        ignoreImages: [registry, "team/private-*"]
        ignoreNamespaces: [monitoring]
        registries:
          - host: 123456789012.dkr.ecr.eu-central-1.amazonaws.com
            auth: ecr
          - host: harbor.example.com
            auth: basic
            usernameFrom: {env: HARBOR_USER}
            passwordFrom: {env: HARBOR_PASSWORD}
        ```

        | key | type | default | since | meaning |
        |---|---|---|---|---|

        """;

    [Test]
    public void The_page_has_every_key_of_the_schema()
    {
        using var schema = JsonDocument.Parse(File.ReadAllText(SourceTree.PathOf("chart", "config.schema.json")));
        var page = new StringBuilder(Beginning.ReplaceLineEndings("\n"));
        Append(page, schema.RootElement, schema.RootElement, "");
        var path = SourceTree.PathOf("docs", "configuration.md");
        if (SourceTree.UpdatesGolden)
            File.WriteAllText(path, page.ToString());
        Assert.That(File.ReadAllText(path), Is.EqualTo(page.ToString()));
    }

    private static void Append(StringBuilder page, JsonElement root, JsonElement section, string prefix)
    {
        foreach (var property in section.GetProperty("properties").EnumerateObject())
        {
            var value = Resolve(root, property.Value);
            var name = prefix + property.Name;
            var isList = value.TryGetProperty("items", out var items);
            page.Append(
                $"| `{name}` | {TypeOf(root, value)} | {DefaultOf(section, property)} | {SinceOf(property.Value)} "
                    + $"| {MeaningOf(property.Value, value)} |\n"
            );
            if (isList && Resolve(root, items).TryGetProperty("properties", out _))
                Append(page, root, Resolve(root, items), $"{name}[].");
            else if (value.TryGetProperty("properties", out _))
                Append(page, root, value, $"{name}.");
        }
    }

    private static string TypeOf(JsonElement root, JsonElement value)
    {
        if (value.TryGetProperty("enum", out var allowed))
            return string.Join(", ", allowed.EnumerateArray().Select(one => $"`{one}`"));
        if (value.TryGetProperty("items", out var items))
            return $"list of {TypeOf(root, Resolve(root, items))}";
        // A string or number is a duration; the only number allowed is 0.
        return value.TryGetProperty("type", out var type) && type.ValueKind == JsonValueKind.String ? type.ToString() : "duration";
    }

    private static string DefaultOf(JsonElement section, JsonProperty property)
    {
        if (property.Value.TryGetProperty("default", out var text))
            return $"`{(text.ValueKind == JsonValueKind.String ? text.GetString() : text.GetRawText())}`";
        var isRequired =
            section.TryGetProperty("required", out var required)
            && required.EnumerateArray().Any(name => name.GetString() == property.Name);
        return isRequired ? "required"
            : property.Value.TryGetProperty("properties", out _)
            && property.Value.GetRawText().Contains("\"default\":", StringComparison.Ordinal)
                ? "below"
            : "none";
    }

    private static string MeaningOf(JsonElement property, JsonElement value) =>
        (Text(property, "description") ?? Text(value, "description"))!.Replace("*", "\\*", StringComparison.Ordinal);

    /// <summary>The version that introduced a key: the first one, unless the schema's comment names another.</summary>
    private static string SinceOf(JsonElement value)
    {
        if (Text(value, "$comment") is not { } comment)
            return "0.1.0";
        Assert.That(comment, Does.Match(@"^Since \d+\.\d+\.\d+$"));
        return comment["Since ".Length..];
    }

    private static JsonElement Resolve(JsonElement root, JsonElement value)
    {
        if (!value.TryGetProperty("$ref", out var reference))
            return value;
        var found = root;
        foreach (var part in reference.GetString()!.TrimStart('#').Split('/', StringSplitOptions.RemoveEmptyEntries))
            found = found.GetProperty(part);
        return found;
    }

    private static string? Text(JsonElement value, string name) => value.TryGetProperty(name, out var text) ? text.GetString() : null;
}
