using System.Text;
using System.Text.Json;
using ProxySwapper.Testing.Processes;

namespace ProxySwapper.Tests.Documentation;

/// <summary><c>docs/configuration.md</c> is made of <c>chart/config.schema.json</c>; <c>UPDATE_GOLDEN=1</c> writes it anew.</summary>
[TestFixture]
internal sealed class ConfigurationPageTests
{
    private const string Beginning = """
        # Configuration

        One YAML file, checked as a whole: every mistake is told with its line, its key and what is allowed, with exit code 2. It is
        read again when it changes; a change that is not valid leaves the one before in force. A variable `PROXYSWAPPER_<KEY>`
        (`PROXYSWAPPER_LOG_LEVEL`, `PROXYSWAPPER_POPULATE_POLICY`) wins over the file. This page is made of
        [config.schema.json](../chart/config.schema.json).

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

        | key | type | default | meaning |
        |---|---|---|---|

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
                $"| `{name}` | {TypeOf(root, value)} | {DefaultOf(property.Value)} "
                    + $"| {Text(property.Value, "description") ?? Text(value, "description")} |\n"
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
        return value.TryGetProperty("type", out var type) ? type.ToString() : "duration";
    }

    private static string DefaultOf(JsonElement value) =>
        value.TryGetProperty("default", out var text)
            ? $"`{(text.ValueKind == JsonValueKind.String ? text.GetString() : text.GetRawText())}`"
            : "";

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
