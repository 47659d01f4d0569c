using System.Text.Json.Nodes;
using FsCheck;
using FsCheck.Fluent;
using ProxySwapper.AdmissionPolicies;
using ProxySwapper.Configuration;
using ProxySwapper.Configuration.Yaml;
using ProxySwapper.Registry;
using ProxySwapper.Tests.Registry;
using ProxySwapper.Tests.Rules;

namespace ProxySwapper.IntegrationTests.AdmissionPolicies;

/// <summary>Generates configurations with every form of rules and exceptions.</summary>
internal static class RuleSetGenerator
{
    /// <summary>Regular expressions with groups that a policy can express, with replacements.</summary>
    public static IReadOnlyList<(string Pattern, string Replacement)> Regexes { get; } =
    [
        ("(.*)", "r.example/$1"),
        (@"docker\.io/(.*)", "r.example/$1"),
        (@"docker\.io/(.*)", "docker.io/cache-$1"),
        ("([^/]+)/(.*)", "r.example/$1/$2"),
        ("(?<host>[^/]+)/(?<path>.*)", "r.example/${path}"),
        ("(?<path>[^/]+)/(.*)", "r.example/$1"),
        (@"([^/]*)\.([^/]*)/(.*)/([^:@]*)(.*)", "r.example/$2-$1/$3/x-$4$5"),
        ("(.*?)/(.*?)o(.*)", "r.example/x/$2$3"),
        ("(.*)o(.*)", "r.example/x/y$2"),
        ("[^/]+/(.*)/([^/:@]+)([:@].*)", "r.example/$2/$1$3"),
        (@"(?:docker\.io|quay\.io|ghcr\.io)/(.*)", "r.example/$1"),
        (@"(docker\.io|quay\.io|gcr\.io|localhost:5000)/(.*)", "r.example/x/$2"),
        ("(a|ab|[a-z][a-z])(.*)", "r.example/$1"),
        ("(ab|a|[a-z])(.*)", "r.example/$1"),
        ("(.*):(latest|1)", "r.example/x:$2"),
        ("(.*):([^:@/]+)", "r.example/x:$2"),
        ("(.*)(.)", "r.example/x:$2"),
        ("([a-z]{2,4})([^a-z].*)", "r.example/$1"),
        ("([a-z]+?)([^a-z].*)", "r.example/$1"),
        ("([^/]{3})([^/]*)/(.*)", "r.example/$3"),
        ("^([^/]+)/library/([^:@]+)(.*)$", "r.example/official/$2$3"),
        (@"[^/]+/(\w+)/(.*)", "r.example/$1-$2"),
        ("[^/]+/([^:@]*)[^@]*@(sha256:[0-9a-f]{64})", "r.example/$1@$2"),
        ("([^/]+)/(.*)", "r.example/$2"),
    ];

    private static readonly Gen<string> Matches = Gen.OneOf(
        Gen.Elements(
            "**",
            "docker.io",
            "docker.io/library/*",
            "quay.io/**",
            "*.example",
            "r.example",
            "**/a",
            "*:5000",
            "localhost",
            "*.gcr.io/**/app-*",
            "docker.io/*/f*",
            "**/foo/**/bar",
            "docker.io/nginx",
            "docker.io/a*",
            "**/x",
            "*.*/**",
            "quay.io/*/b",
            "quay.io/a/b"
        ),
        from host in ReferenceGenerator.Hosts
        select host.Contains('.', StringComparison.Ordinal) ? host : $"{host}.example",
        from path in ReferenceGenerator.Paths
        select $"docker.io/{path}/**"
    );

    private static readonly Gen<string> Targets = Gen.OneOf(
        TargetGenerator.Targets,
        TargetGenerator.Targets,
        Gen.Elements("r.example/{registry}", "r.example:5000/a/{registry}/b", "docker.io/my-org/{registry}", "[::1]:5000/x-{registry}")
    );

    private static readonly Gen<IReadOnlyList<string>> Namespaces =
        from count in Gen.Choose(0, 2)
        from names in Gen.ListOf(Gen.Elements("default", "team-a", "dev-*", "*-x", "d*v-*", "*", "other"), count)
        from isAny in Gen.Choose(0, 2)
        select isAny > 0 ? [] : (IReadOnlyList<string>)[.. names];

    private static readonly Gen<JsonObject> Rules =
        from isRegex in Gen.Choose(0, 2)
        from match in Matches
        from target in Targets
        from regex in Gen.Elements(Regexes.ToArray())
        from image in Gen.Elements("", "r.example/one:1", "quay.io/pause:3.9", "localhost:5000/x")
        from namespaces in Namespaces
        from secret in Gen.Elements<string?>(null, null, null, "harbor", "other.secret")
        select isRegex switch
        {
            0 when image.Length > 0 => Rule("matchRegex", regex.Pattern, "replace", image, namespaces, secret),
            0 => Rule("matchRegex", regex.Pattern, "replace", regex.Replacement, namespaces, secret),
            _ => Rule("match", match, "target", target, namespaces, secret),
        };

    private static readonly Gen<string[]> Ignored =
        from count in Gen.Choose(0, 3)
        from patterns in Gen.ListOf(
            Gen.Elements(
                "redis",
                "nginx:1.*",
                "team/private-*",
                "*/foo/**",
                "**/bar:latest",
                "a*",
                "quay.io/a/b",
                "**/x@sha256:0000000000000000000000000000000000000000000000000000000000000000",
                "**/*:*a*",
                "nginx:latest"
            ),
            count
        )
        select patterns.ToArray();

    /// <summary>Configurations, some of which are rejected for their targets or because CEL cannot express them.</summary>
    public static Gen<string> Configurations { get; } =
        from proxyUrl in Gen.OneOf(Gen.Constant<string?>(null), Targets.Select(target => (string?)target))
        from count in Gen.Choose(proxyUrl is null ? 1 : 0, 6)
        from rules in Gen.ListOf(Rules, count)
        from ignoredImages in Ignored
        from ignoredNamespaces in Gen.Elements(Array.Empty<string>(), ["monitoring"], ["ops-*", "other"])
        from label in Gen.Elements<JsonObject?>(
            null,
            new JsonObject { ["key"] = "swapped", ["value"] = "" },
            new JsonObject { ["key"] = "example.com/swapped.by", ["value"] = "yes" }
        )
        from owners in Gen.Elements<string[]?>(null, [], ["apps/ReplicaSet"], ["*.example.com/*", "/Node"], ["batch/*"])
        from placeholders in Gen.Elements<string[]?>(null, ["redis", "auto"], [])
        select new JsonObject
        {
            ["proxyUrl"] = proxyUrl,
            ["ignoreOwners"] = ListOf(owners),
            ["placeholderImages"] = ListOf(placeholders),
            ["rules"] = new JsonArray([.. rules.Select(rule => rule.DeepClone())]),
            ["ignoreImages"] = ListOf(ignoredImages),
            ["ignoreNamespaces"] = ListOf(ignoredNamespaces),
            ["patchLabel"] = label?.DeepClone(),
        }.ToJsonString();

    /// <summary>True for a valid configuration that a policy can express.</summary>
    public static bool IsUsable(string configuration)
    {
        var environment = EnvironmentVariables.None;
        try
        {
            var options = ConfigurationReader.ReadText("config.yaml", configuration, environment);
            return PolicyCompiler.Compile(options, ConfigurationLocations.Of("config.yaml", configuration, environment)).Rejections.Count
                == 0;
        }
        catch (ConfigurationException)
        {
            return false;
        }
    }

    private static JsonArray? ListOf(IReadOnlyList<string>? items) =>
        items is null ? null : new JsonArray([.. items.Select(item => (JsonNode)item)]);

    private static JsonObject Rule(
        string key,
        string value,
        string where,
        string target,
        IReadOnlyList<string> namespaces,
        string? pullSecret
    ) =>
        new()
        {
            [key] = value,
            [where] = target,
            ["allowSharedTarget"] = true,
            ["namespaces"] = ListOf(namespaces),
            ["pullSecret"] = pullSecret,
        };
}
