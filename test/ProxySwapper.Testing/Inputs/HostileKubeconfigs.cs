using System.Text.Json;
using System.Text.Json.Nodes;

namespace ProxySwapper.Testing.Inputs;

/// <summary>
/// Kubeconfigs that are valid but for one value: each value that decides how a request is made, replaced by each of many odd ones.
/// </summary>
internal static class HostileKubeconfigs
{
    private const string Version = "client.authentication.k8s.io/v1";

    /// <summary>What no key of a kubeconfig should be, or only some.</summary>
    private static readonly JsonNode?[] Values =
    [
        null,
        "",
        " ",
        "\t",
        "a b",
        "a\nb",
        "a\r\nX-Other: b",
        "a\0b",
        "\u0001",
        "\u007f",
        "\u0085",
        "\u2028",
        "\ufeff",
        "\ufffd",
        "ö",
        "😀",
        "-",
        "--",
        "-1",
        "0",
        "~",
        ".",
        "..",
        "../..",
        "/",
        "/tmp",
        "/nonexistent/file",
        "/dev/null",
        "/dev/zero",
        "a/b",
        "a:b",
        ":",
        "*",
        "**",
        ">=1 <",
        "%",
        "%00",
        "%zz",
        "[",
        "[::1]",
        "::1",
        "{{ .Values.x }}",
        "$HOME",
        "eA==",
        "LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS0tLS0tCkFBQUEKLS0tLS1FTkQgQ0VSVElGSUNBVEUtLS0tLQo=",
        "http://127.0.0.1:1",
        "http://user:p%ss@127.0.0.1:1/?a#b",
        "http://127.0.0.1:0/",
        "http://127.0.0.1:99999/",
        "https://127.0.0.1:1/../a%00b\\c",
        "socks5://user:word@127.0.0.1:1",
        "http://%",
        "http://[::1",
        "ftp://127.0.0.1",
        "file:///etc/passwd",
        "9999-99-99T99:99:99Z",
        true,
        1e300,
        Array("a", "b"),
        Array(Array()),
        new JsonObject(),
        new JsonObject { [""] = "", ["a b"] = Array("c\nd") },
        $"http://{Letters(300)}:1",
        $"http://127.0.0.1:1/{Letters(70_000)}",
        Letters(200_000),
    ];

    /// <summary>Keys of the cluster.</summary>
    private static readonly string[] OfCluster =
    [
        "server",
        "certificate-authority",
        "certificate-authority-data",
        "tls-server-name",
        "insecure-skip-tls-verify",
        "proxy-url",
    ];

    /// <summary>Keys of the user.</summary>
    private static readonly string[] OfUser =
    [
        "token",
        "tokenFile",
        "username",
        "password",
        "as",
        "as-uid",
        "as-groups",
        "as-user-extra",
        "client-certificate",
        "client-certificate-data",
        "client-key-data",
        "exec",
    ];

    /// <summary>Keys of a plugin.</summary>
    private static readonly string[] OfPlugin =
    [
        "apiVersion",
        "command",
        "args",
        "env",
        "installHint",
        "interactiveMode",
        "provideClusterInfo",
    ];

    /// <summary>Keys of what a plugin prints.</summary>
    private static readonly string[] OfOutput = ["token", "clientCertificateData", "clientKeyData", "expirationTimestamp"];

    /// <summary>All of them, with the replaced key and its value.</summary>
    /// <param name="server">The URL of an API server.</param>
    public static IEnumerable<(string Key, string Value, string Text)> All(string server)
    {
        foreach (var value in Values)
        {
            foreach (var key in new[] { "cluster", "user", "namespace" })
                yield return Case(key, value, config => config["contexts"]![0]!["context"]![key] = value?.DeepClone());
            foreach (var key in OfCluster)
                yield return Case(key, value, config => ClusterOf(config)[key] = value?.DeepClone());
            foreach (var key in OfUser)
                yield return Case(key, value, config => Replace(UserOf(config), key, value));
            foreach (var key in OfPlugin)
                yield return Case($"exec.{key}", value, config => UserOf(config)["exec"] = Plugin(key, value, "token", "t"));
            foreach (var key in OfOutput)
                yield return Case($"output.{key}", value, config => UserOf(config)["exec"] = Plugin("installHint", "", key, value));
        }

        (string Key, string Value, string Text) Case(string key, JsonNode? value, Action<JsonObject> change)
        {
            var config = Valid(server);
            change(config);
            var shown = value?.ToJsonString() ?? "null";
            // JSON is YAML; other characters are in the file itself.
            return (key, shown[..Math.Min(shown.Length, 100)], config.ToJsonString(Relaxed));
        }
    }

    private static readonly JsonSerializerOptions Relaxed = new()
    {
        Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    private static JsonObject Valid(string server) =>
        new()
        {
            ["current-context"] = "x",
            ["contexts"] = Named(
                "x",
                "context",
                new JsonObject
                {
                    ["cluster"] = "c",
                    ["user"] = "u",
                    ["namespace"] = "n",
                }
            ),
            ["clusters"] = Named("c", "cluster", new JsonObject { ["server"] = server }),
            ["users"] = Named("u", "user", new JsonObject { ["as"] = "administrator" }),
        };

    private static JsonArray Named(string name, string key, JsonObject value) => new(new JsonObject { ["name"] = name, [key] = value });

    private static JsonObject ClusterOf(JsonObject config) => config["clusters"]![0]!["cluster"]!.AsObject();

    private static JsonObject UserOf(JsonObject config) => config["users"]![0]!["user"]!.AsObject();

    private static void Replace(JsonObject user, string key, JsonNode? value)
    {
        user["token"] = key is "username" or "password" ? null : "t";
        user["username"] = key == "password" ? "u" : null;
        user["client-certificate"] = key == "client-key-data" ? "/dev/null" : null;
        user[key] = value?.DeepClone();
    }

    /// <summary>A plugin that prints a credential; one of its keys, or one of the credential's, is replaced.</summary>
    private static JsonObject Plugin(string key, JsonNode? value, string outputKey, JsonNode? outputValue)
    {
        var status = new JsonObject { ["token"] = "t", [outputKey] = outputValue?.DeepClone() };
        var output = new JsonObject { ["apiVersion"] = Version, ["status"] = status }.ToJsonString();
        // Longer ones are more than an argument may have.
        return new JsonObject
        {
            ["apiVersion"] = Version,
            ["command"] = "printf",
            ["args"] = Array("%s", output.Length < 100_000 ? output : "{}"),
            [key] = key switch
            {
                "args" when value is JsonValue => Array(value.DeepClone()),
                "env" when value is JsonValue => Array(new JsonObject { ["name"] = value.DeepClone(), ["value"] = value.DeepClone() }),
                _ => value?.DeepClone(),
            },
        };
    }

    private static JsonArray Array(params JsonNode?[] items) => new(items);

    private static string Letters(int count) => new('a', count);
}
