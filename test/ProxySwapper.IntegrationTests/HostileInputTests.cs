using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Text;
using ProxySwapper.Testing.Inputs;
using ProxySwapper.Testing.Processes;

namespace ProxySwapper.IntegrationTests;

/// <summary>A sample of hostile inputs of every kind for the built program; the unit tests try 20,000 in process.</summary>
[TestFixture]
internal sealed class HostileInputTests
{
    private const int FilesOfEachKind = 10;
    private const int CommandLines = 30;
    private const int FirstSeed = 7_000;
    private const int Parallelism = 4;

    /// <summary>Much longer than any of them takes, also on a busy machine.</summary>
    private static readonly string[] Limited = ["timeout", "--kill-after=5", "120"];

    private static readonly string[] Tools = ["k8s-image-swapper", "kuik", "regsync", "skopeo"];

    /// <summary>
    /// Each kind of file, valid ones, and the command that reads it: FILE is its path, FOLDER where it is called config.json.
    /// </summary>
    private static readonly (string[] Command, string? Variable, string[] Valid)[] Kinds =
    [
        (["serve", "--config", "FILE"], null, [HostileInputs.Configuration]),
        (["rewrite", "nginx", "--config", "FILE"], null, [HostileInputs.Configuration]),
        (["validate", "--kind", "mirror", "FILE"], null, [HostileInputs.MirrorFile]),
        (["rewrite", "-f", "FILE"], null, []),
        (["convert", "--target", "r.example/x", "FILE"], null, [.. Tools.SelectMany(HostileInputs.FilesOf)]),
        (["disable"], "KUBECONFIG=FILE", []),
        (["report"], "KUBECONFIG=FILE", []),
        (["credential", "get"], "DOCKER_CONFIG=FOLDER", []),
    ];

    /// <summary>Commands that contact registries or keep running if their command line is valid.</summary>
    private static readonly string[] Leaving = ["demo", "copy", "mirror", "report", "backfill", "status"];

    [Test]
    public async Task A_hostile_input_ends_the_program_with_a_message()
    {
        await TestContext.Out.WriteLineAsync($"seeds {FirstSeed} to {FirstSeed + Math.Max(FilesOfEachKind, CommandLines) - 1}");
        using var folder = new TemporaryFolder();
        var large = HostileInputs
            .ByHand.Where(text => text.Length > 10_000)
            .Select((text, index) => (Name: $"by hand {index}", text))
            .ToList();
        var runs = new List<(string Name, string[] Command, string? Variable)>();
        foreach (var (kind, (command, variable, valid)) in Kinds.Index())
        {
            var texts = Enumerable.Range(FirstSeed, FilesOfEachKind).Select(seed => ($"seed {seed}", new HostileInputs(seed).File(valid)));
            foreach (var (name, text) in large.Concat(texts))
            {
                var own = Directory.CreateDirectory(folder.PathOf($"{kind} {name}")).FullName;
                var file = Path.Combine(own, "config.json");
                await File.WriteAllTextAsync(file, text, new UTF8Encoding(false));
                runs.Add((name, [.. command.Select(word => Place(word, own, file))], variable is null ? null : Place(variable, own, file)));
            }
        }
        string[] files =
        [
            folder.Write("config.yaml", HostileInputs.Configuration),
            folder.Write("self.rsp", $"@{folder.PathOf("self.rsp")}"),
            folder.PathOf("."),
            "/dev/zero",
        ];
        runs.AddRange(Enumerable.Range(FirstSeed, CommandLines).Select(seed => ($"seed {seed}", CommandLine(seed, files), (string?)null)));
        runs.Add(("an endless file", ["version", "@/dev/zero"], null));
        runs.Add(("a file that names itself", ["version", $"@{folder.PathOf("self.rsp")}"], null));
        await AssertSentencesAsync(runs);
    }

    [Test]
    public async Task Serve_with_a_valid_configuration_that_cannot_start_says_why()
    {
        using var folder = new TemporaryFolder();
        using var certificates = new TestCertificates();
        using var others = new TestCertificates();
        certificates.WriteTo(folder.PathOf("."));
        others.WriteTo(Directory.CreateDirectory(folder.PathOf("others")).FullName);
        await File.WriteAllTextAsync(folder.PathOf("garbage"), "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n");
        await File.WriteAllTextAsync(folder.PathOf("empty"), "");
        using var taken = TcpListener.Create(0);
        taken.Start();
        var port = ((IPEndPoint)taken.LocalEndpoint).Port;
        var (crt, key) = ($"tlsCertPath: {folder.PathOf("tls.crt")}", $"tlsKeyPath: {folder.PathOf("tls.key")}");
        string[] starts =
        [
            $"port: {port}\nmanagementPort: {TestProcess.FreePort()}\n{crt}\n{key}",
            $"port: {TestProcess.FreePort()}\nmanagementPort: {port}\n{crt}\n{key}",
            $"tlsCertPath: {folder.PathOf("nowhere")}\n{key}",
            $"tlsCertPath: {folder.PathOf("others")}\n{key}",
            $"tlsCertPath: {folder.PathOf("garbage")}\n{key}",
            $"tlsCertPath: {folder.PathOf("empty")}\n{key}",
            $"tlsCertPath: {folder.PathOf("tls.key")}\n{key}",
            $"{crt}\ntlsKeyPath: {folder.PathOf("others/tls.key")}",
            $"{crt}\ntlsKeyPath: {folder.PathOf("others")}",
            $"{crt}\ntlsKeyPath: {folder.PathOf("tls.crt")}",
        ];
        var runs = new List<(string Name, string[] Command, string? Variable)>();
        foreach (var (index, text) in starts.Index())
        {
            var file = folder.PathOf($"{index}.yaml");
            await File.WriteAllTextAsync(file, $"proxyUrl: r.example\n{text}\n");
            foreach (var format in new[] { "text", "json" })
                runs.Add((text, ["serve", "--config", file], $"PROXYSWAPPER_LOG_FORMAT={format}"));
        }
        var codes = await AssertSentencesAsync(runs);
        Assert.That(codes, Has.None.EqualTo(0), "it started");
    }

    private static string Place(string word, string folder, string file) =>
        word.Replace("FILE", file, StringComparison.Ordinal).Replace("FOLDER", folder, StringComparison.Ordinal);

    private static string[] CommandLine(int seed, IReadOnlyList<string> files)
    {
        // No process can be given a NUL.
        var words = new HostileInputs(seed)
            .CommandLine(files)
            .Select(word => word.Replace("\0", "\u0001", StringComparison.Ordinal))
            .ToArray();
        return words.Any(Leaving.Contains) ? [.. words, "--nonsense"] : words;
    }

    /// <summary>Runs the program with each input; returns the exit codes.</summary>
    private static async Task<IReadOnlyCollection<int>> AssertSentencesAsync(
        IEnumerable<(string Name, string[] Command, string? Variable)> runs
    )
    {
        var (wrong, codes) = (new ConcurrentQueue<string>(), new ConcurrentQueue<int>());
        await Parallel.ForEachAsync(
            runs,
            new ParallelOptions { MaxDegreeOfParallelism = Parallelism },
            async (run, _) =>
            {
                var environment = new Dictionary<string, string>
                {
                    ["HOME"] = "/nonexistent",
                    ["KUBECONFIG"] = "",
                    // A damaged address leads nowhere.
                    ["HTTPS_PROXY"] = "http://127.0.0.1:1",
                    ["HTTP_PROXY"] = "http://127.0.0.1:1",
                };
                if (run.Variable?.Split('=', 2) is [var name, var value])
                    environment[name] = value;
                var (program, arguments) = ProxySwapperProgram.CommandOf(run.Command);
                var start = TestProcess.StartInfo("sh", ["-c", "printf docker.io | exec \"$@\"", "sh", .. Limited, program, .. arguments]);
                ProxySwapperProgram.RemoveClouds(start.Environment);
                foreach (var (variable, content) in environment)
                    start.Environment[variable] = content;
                var (exitCode, output, error) = await TestProcess.RunAsync(start);
                codes.Enqueue(exitCode);
                if (Sentences.WrongIn(exitCode, output + error) is { } what)
                    wrong.Enqueue($"{run.Name}, {run.Variable} {string.Join(' ', run.Command)}: {what}: {output}{error}");
            }
        );
        Assert.That(wrong, Is.Empty);
        return codes;
    }
}
