using System.CommandLine;
using System.CommandLine.Completions;
using ProxySwapper.Commands;

namespace ProxySwapper.Testing.Inputs;

/// <summary>
/// Hostile command lines: most are a command with its arguments and some of its options, with values that are allowed, files, or odd ones;
/// the others are words in any order.
/// </summary>
/// <param name="files">The files and folders that a command line can name, also with an at sign before.</param>
/// <param name="random">What is chosen.</param>
internal sealed class HostileCommandLine(IReadOnlyList<string> files, Random random)
{
    private static readonly string[] AnyWords =
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
        "check",
        "convert",
        "release",
        "--from",
        "--target",
        "--timeout",
        "--only",
        "--management",
        "--image",
        "--token-file",
        "--copy-timeout",
        "--api-version",
        "-l",
        "linux/amd64",
        "not/a/plat/form",
    ];

    public string[] Words()
    {
        if (random.Next(4) == 0)
            return [.. Enumerable.Range(0, random.Next(0, 7)).Select(_ => AnyWord())];
        var words = new List<string>();
        Command command = CommandTree.Create();
        while (command.Subcommands.Count > 0)
            words.Add((command = command.Subcommands[random.Next(command.Subcommands.Count)]).Name);
        foreach (var argument in command.Arguments)
            for (var count = random.Next(argument.Arity.MinimumNumberOfValues, 2); count > 0; count--)
                words.Add(ValueOf(argument));
        for (var count = command.Options.Count > 0 ? random.Next(4) : 0; count > 0; count--)
        {
            var option = command.Options[random.Next(command.Options.Count)];
            words.Add(option.Aliases.Count > 0 && random.Next(2) == 0 ? option.Aliases.First() : option.Name);
            if (option.Arity.MinimumNumberOfValues > 0)
                words.Add(ValueOf(option));
        }
        return [.. words];
    }

    private string ValueOf(Symbol symbol)
    {
        var allowed = symbol.GetCompletions(CompletionContext.Empty).ToList();
        return random.Next(10) switch
        {
            < 4 when allowed.Count > 0 => allowed[random.Next(allowed.Count)].Label,
            < 6 => files[random.Next(files.Count)],
            6 => $"@{files[random.Next(files.Count)]}",
            7 => HostileValues.Text(random),
            _ => AnyWord(),
        };
    }

    private string AnyWord() => random.Next(10) == 0 ? $"@{files[random.Next(files.Count)]}" : AnyWords[random.Next(AnyWords.Length)];
}
