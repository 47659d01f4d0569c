using System.Text;

namespace ProxySwapper.Testing.Inputs;

/// <summary>
/// Hostile files and command lines: valid ones with parts inserted, removed, duplicated or moved, random structural
/// characters, and hand-written worst cases. The same seed gives the same inputs.
/// </summary>
internal sealed class HostileInputs(int seed)
{
    private readonly Random _random = new(seed);

    private static readonly string[] Valid =
    [
        """
            proxyUrl: r.example:5000/mirror
            rules:
              - {match: docker.io/library/*, target: r.example/hub, namespaces: [team-*]}
              - matchRegex: '^quay\.io/(.*)$'
                replace: 'localhost:5000/$1'
            ignoreImages: [registry, "team/private-*"]
            patchLabel: {key: a.example/b, value: c}
            swapPolicy: exists
            populate: {policy: delayed, deadline: 3s, platforms: [linux/amd64], proxyCaches: [{regexURL: x, replacementOCI: y}]}
            registries: [{host: docker.io, auth: basic, usernameFrom: {env: USER}, passwordFrom: {file: /p}, maxConcurrency: 4}]
            """,
        """
            mode: higher
            images:
              nginx: {source: docker.io/library/nginx, destination: r.example/nginx, higher-from: 1.20.0, tags: {allow: ['1\..*']}}
              etcd: {source: quay.io/coreos/etcd, destination: r.example/etcd, semverRange: '>=3 <4', pinned-major: 3}
            registries: [{host: r.example, plainHttp: true}]
            """,
        """
            apiVersion: v1
            kind: Config
            clusters: [{name: c, cluster: {server: 'https://127.0.0.1:1', certificate-authority-data: eA==}}]
            users: [{name: u, user: {token: t, exec: {apiVersion: client.authentication.k8s.io/v1, command: ./x, args: [a]}}}]
            contexts: [{name: x, context: {cluster: c, user: u, namespace: n}}]
            """,
        """
            {"auths": {"https://index.docker.io/v1/": {"auth": "dXNlcjpzZWNyZXQ="}, "*.example.com": {"identitytoken": "t"}},
             "credHelpers": {"quay.io": "none"}}
            """,
        """
            apiVersion: apps/v1
            kind: Deployment
            metadata: {name: web, namespace: team}
            spec: {template: {spec: {containers: [{name: a, image: nginx}], volumes: [{name: v, image: {reference: quay.io/a/b}}]}}}
            ---
            {"kind": "PodList", "items": [{"spec": {"containers": [{"image": "busybox"}]}}]}
            """,
    ];

    private static readonly string[] Tokens =
    [
        "*a",
        "&a ",
        "<<: ",
        "<<: *a",
        "&a [*a]",
        "? ",
        "? [a]: b",
        "- - - ",
        ": ",
        "|\n",
        ">-\n",
        "!!binary ",
        "!!timestamp ",
        "!x ",
        "%YAML 9.9\n",
        "---\n",
        "...\n",
        "\0",
        "\u0085",
        "\uFEFF",
        "\t",
        "\r",
        "{{ .Values.x }}",
        "{registry}",
        "null",
        "~",
        "99999999999999999999",
        "-1",
        "1e999",
        "\\ud800",
        "\ud800",
        "😀",
        "'",
        "\"",
        "[",
        "]",
        "{",
        "}",
        ",",
        "#",
        "@",
        "`",
        "docker.io",
        "**",
        "$1",
        "(((",
        "[a-",
        "(?<x>",
        "://",
        "/",
        "..",
    ];

    private static readonly string[] Words =
    [
        "serve",
        "demo",
        "rewrite",
        "policy",
        "report",
        "backfill",
        "status",
        "copy",
        "mirror",
        "credential",
        "disable",
        "enable",
        "validate",
        "version",
        "completion",
        "get",
        "list",
        "store",
        "erase",
        "bash",
        "--config",
        "--config-file",
        "--port",
        "--parallel",
        "--shard",
        "--on-rate-limit",
        "--report",
        "-o",
        "--output",
        "-n",
        "-f",
        "--filename",
        "--platform",
        "--sparse",
        "--flatten",
        "--dry-run",
        "--kubeconfig",
        "--context",
        "--config-map",
        "--file",
        "--discard",
        "--name",
        "--kind",
        "--fail-on",
        "--debug",
        "--help",
        "-h",
        "--",
        "-",
        "-a",
        "--nonsense",
        "--sparse=maybe",
        "--port=x",
        "-1",
        "0",
        "999999999999",
        "text",
        "json",
        "wait",
        "stop",
        "1/2",
        "2/1",
        "x",
        "",
        " ",
        "nginx",
        "UPPER",
        "docker://nginx",
        "/nowhere",
        "/",
        "/etc",
        "\0",
        "größe",
        "@response",
        "linux/amd64",
        "not/a/plat/form",
    ];

    /// <summary>Hand-written worst cases.</summary>
    public static IReadOnlyList<string> ByHand { get; } =
    [
        "",
        "\n",
        "# nothing",
        "---\n---\n",
        "text",
        "- a",
        "\uFEFFport: 1",
        "\ud800",
        new string('[', 30_000),
        string.Concat(Enumerable.Repeat("{a: ", 30_000)),
        string.Concat(Enumerable.Repeat("- ", 30_000)),
        string.Concat(Enumerable.Range(0, 30_000).Select(depth => new string(' ', Math.Min(depth, 200)) + "a:\n")),
        string.Concat(Enumerable.Repeat("""{"auths":""", 100)) + "1" + new string('}', 100),
        """{"auths": {"\ud800": {"auth": "eDp5"}, "r.example": {"auth": "\udfff"}}, "\ud800": 1}""",
        "a: &a [*a]",
        "&a {<<: *a}",
        "a: *nowhere",
        "? {a: b}\n: c",
        "a: &a [x, x]\n"
            + string.Concat(Enumerable.Range(1, 40).Select(level => $"a{level}: &a{level} [*a{Before(level)}, *a{Before(level)}]\n")),
        "rules: {<<: 1}",
        "rules: [{match: '**', target: r.example}]",
        "kind: List\nitems: &a [{kind: List, items: *a}]",
        "port: !!binary x",
        "port: 1\nport: 2",
        new string('x', 5_000_000),
        string.Concat(Enumerable.Range(0, 20_000).Select(line => $"k{line}: v\n")),
    ];

    /// <summary>A file: a hand-written one, a damaged valid one, or random structural characters.</summary>
    public string File()
    {
        var kind = _random.Next(200);
        if (kind == 0)
            return ByHand[_random.Next(ByHand.Count)];
        var text = new StringBuilder(kind < 30 ? "" : Valid[_random.Next(Valid.Length)]);
        for (var change = _random.Next(1, kind < 30 ? 40 : 5); change > 0; change--)
            Damage(text);
        return text.ToString();
    }

    /// <summary>The words of a command line.</summary>
    public string[] CommandLine() => [.. Enumerable.Range(0, _random.Next(0, 7)).Select(_ => Words[_random.Next(Words.Length)])];

    private static string Before(int level) => level == 1 ? "" : $"{level - 1}";

    private void Damage(StringBuilder text)
    {
        var at = _random.Next(text.Length + 1);
        var length = Math.Min(_random.Next(1, 30), text.Length - at);
        switch (_random.Next(5))
        {
            case 0:
                text.Remove(at, length);
                break;
            case 1:
                text.Insert(_random.Next(text.Length + 1), text.ToString(at, length));
                break;
            case 2 when text.Length > 0:
                text[Math.Min(at, text.Length - 1)] = (char)_random.Next(1, 0x180);
                break;
            case 3:
                text.Insert(at, new string(Tokens[_random.Next(Tokens.Length)][0], _random.Next(1, 100)));
                break;
            default:
                text.Insert(at, Tokens[_random.Next(Tokens.Length)]);
                break;
        }
    }
}
