using System.Text;
using ProxySwapper.Testing.Processes;

namespace ProxySwapper.Testing.Inputs;

/// <summary>
/// Hostile files and command lines: valid ones with odd values, with parts inserted, removed, duplicated or moved, random structural
/// characters, and hand-written worst cases. The same seed gives the same inputs.
/// </summary>
internal sealed class HostileInputs(int seed)
{
    private readonly Random _random = new(seed);

    /// <summary>A valid configuration.</summary>
    public const string Configuration = """
        proxyUrl: r.example:5000/mirror
        rules:
          - {match: docker.io/library/*, target: r.example/hub, namespaces: [team-*]}
          - matchRegex: '^quay\.io/(.*)$'
            replace: 'localhost:5000/$1'
        ignoreImages: [registry, "team/private-*"]
        patchLabel: {key: a.example/b, value: c}
        swapPolicy: exists
        populate: {policy: delayed, deadline: 3s, platforms: [linux/amd64], proxyCaches: [{regexURL: x, replacementOCI: y}]}
        registries:
          - {host: docker.io, auth: basic, usernameFrom: {env: USER}, passwordFrom: {file: /p}, maxConcurrency: 4}
          - {host: images.example.com, auth: ecr, region: eu-west-1, awsProfile: a, createRepositories: {tags: {a: b}}}
          - {host: '[::1]:5000', plainHttp: true, requestsPerSecond: 0.5}
        """;

    /// <summary>A valid mirror file.</summary>
    public const string MirrorFile = """
        mode: higher
        images:
          nginx: {source: docker.io/library/nginx, destination: r.example/nginx, higher-from: 1.20.0, tags: {allow: ['1\..*']}}
          etcd: {source: quay.io/coreos/etcd, destination: r.example/etcd, semverRange: '>=3 <4', pinned-major: 3}
        registries:
          - {host: r.example, plainHttp: true}
          - {host: images.example.com, auth: ecr, region: eu-west-1}
        """;

    private static readonly string[] Valid =
    [
        Configuration,
        MirrorFile,
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

    /// <summary>
    /// A file: a hand-written one, random structural characters, a valid one with one or two odd values, or one that is damaged anywhere.
    /// </summary>
    /// <param name="ofKind">Valid files of the kind that is read, which most are then made of; by default of any kind.</param>
    public string File(params IReadOnlyList<string> ofKind)
    {
        var kind = _random.Next(200);
        if (kind == 0)
            return ByHand[_random.Next(ByHand.Count)];
        var valid = ofKind.Count > 0 && _random.Next(5) > 0 ? ofKind : Valid;
        var text = new StringBuilder(kind < 30 ? "" : valid[_random.Next(valid.Count)]);
        if (kind >= 100)
            return HostileValues.Replace(text.ToString(), _random);
        for (var change = _random.Next(1, kind < 30 ? 40 : 5); change > 0; change--)
            Damage(text);
        return text.ToString();
    }

    /// <summary>Valid files of another tool, such as <c>regsync</c>: what the tests of <c>convert</c> convert.</summary>
    public static IReadOnlyList<string> FilesOf(string tool) =>
        [
            .. Directory
                .GetDirectories(SourceTree.PathOf("test", "ProxySwapper.Tests", "testdata", "convert"), $"{tool}*")
                .Order(StringComparer.Ordinal)
                .Select(folder => System.IO.File.ReadAllText(Path.Combine(folder, "input.yaml"))),
        ];

    /// <summary>The words of a command line: of a command with its arguments and options, or any.</summary>
    /// <param name="files">The files and folders that it can name.</param>
    public string[] CommandLine(IReadOnlyList<string> files) => new HostileCommandLine(files, _random).Words();

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
