using System.Text;
using Microsoft.Extensions.Logging.Abstractions;
using ProxySwapper.Commands;
using ProxySwapper.Configuration.Yaml;
using ProxySwapper.Kubernetes.Connection;
using ProxySwapper.Mirroring;
using ProxySwapper.Registries;
using ProxySwapper.Registry;
using ProxySwapper.Registry.Credentials;
using ProxySwapper.Testing.Inputs;
using ProxySwapper.Testing.Processes;

namespace ProxySwapper.Tests.Commands;

/// <summary>
/// More than 20,000 hostile files and command lines: each ends with exit code 0, 1 or 2 and messages, never with a stack trace or an
/// internal error.
/// A failure names its seed; running that seed alone repeats it.
/// </summary>
[TestFixture, NonParallelizable]
internal sealed class HostileInputTests
{
    private const int FilesOfEachKind = 3_000;
    private const int CommandLines = 5_000;
    private const int FirstSeed = 20_261_125;

    /// <summary>
    /// What an input may make the program allocate, in bytes. Measured were 11 MB for small inputs, 720 for each character of larger ones,
    /// and 136 MB at most: each limit is ten times that.
    /// </summary>
    private const long SmallestLimit = 100_000_000;
    private const long LimitPerCharacter = 7_000;
    private const long LargestLimit = 1_400_000_000;

    /// <summary>Commands that contact registries or keep running if their command line is valid.</summary>
    private static readonly string[] Leaving = ["demo", "copy", "mirror", "serve", "report", "backfill", "status"];

    private static readonly ImageReference Image = ImageReference.Parse("r.example/team/app");

    private const string DockerConfig = "DOCKER_CONFIG";

    private readonly string? _dockerConfig = Environment.GetEnvironmentVariable(DockerConfig);
    private TemporaryFolder _folder = null!;
    private TextWriter _output = null!;
    private TextWriter _error = null!;
    private TextReader _input = null!;

    /// <summary>Named as Docker names its configuration.</summary>
    private string PathOfInput => _folder.PathOf("config.json");

    [SetUp]
    public void SaveConsole()
    {
        (_folder, _output, _error, _input) = (new TemporaryFolder(), Console.Out, Console.Error, Console.In);
        Environment.SetEnvironmentVariable(DockerConfig, _folder.PathOf("."));
    }

    [TearDown]
    public void RestoreConsole()
    {
        Console.SetOut(_output);
        Console.SetError(_error);
        Console.SetIn(_input);
        Environment.SetEnvironmentVariable(DockerConfig, _dockerConfig);
        _folder.Dispose();
    }

    private static IEnumerable<TestCaseData> Kinds()
    {
        string[] kuik = [.. HostileInputs.FilesOf("kuik")];
        string[] foreign = [.. new[] { "k8s-image-swapper", "regsync", "skopeo" }.SelectMany(HostileInputs.FilesOf), .. kuik];
        yield return Kind([HostileInputs.Configuration], "serve", "--config");
        yield return Kind([HostileInputs.Configuration], "rewrite", "nginx", "--config");
        yield return Kind([HostileInputs.MirrorFile], "validate", "--kind", "mirror");
        yield return Kind([], "rewrite", "-f");
        yield return Kind(foreign, "convert");
        yield return Kind(HostileInputs.FilesOf("k8s-image-swapper"), "convert", "--from", "k8s-image-swapper");
        yield return Kind(kuik, "convert", "--from", "kube-image-keeper", "--target", "r.example/x");
        yield return Kind(HostileInputs.FilesOf("regsync"), "convert", "--from", "regsync");
        yield return Kind(HostileInputs.FilesOf("skopeo"), "convert", "--from", "skopeo-sync", "--target", "r.example/x");

        static TestCaseData Kind(IReadOnlyList<string> valid, params string[] command) =>
            new TestCaseData(valid, command).SetArgDisplayNames(string.Join(' ', command));
    }

    [TestCaseSource(nameof(Kinds))]
    public Task Files_are_rejected_in_sentences(IReadOnlyList<string> valid, string[] command) =>
        ForFilesAsync(
            text =>
            {
                File.WriteAllText(PathOfInput, text, new UTF8Encoding(false));
                return RunAsync([.. command, PathOfInput]);
            },
            valid
        );

    [Test]
    public Task Mirror_files_are_rejected_in_sentences_by_a_dry_run() =>
        ForFilesAsync(
            text =>
            {
                File.WriteAllText(PathOfInput, text, new UTF8Encoding(false));
                return IsReadyToAsk(text) ? Task.FromResult(0) : RunAsync(["mirror", "--dry-run", "--config-file", PathOfInput]);
            },
            [HostileInputs.MirrorFile]
        );

    [Test]
    public Task Kubeconfigs_and_Docker_configurations_are_rejected_in_sentences() =>
        ForFilesAsync(async text =>
        {
            await File.WriteAllTextAsync(PathOfInput, text, new UTF8Encoding(false));
            try
            {
                new KubeconfigReader(TimeProvider.System).Read([PathOfInput], "x");
            }
            catch (Exception fault) when (fault is ConfigurationException or KubernetesConnectionException)
            {
                AssertSentences(fault.Message);
            }
            try
            {
                await DockerConfigSource.FromJson(text, "a pull secret").GetAsync(Image, default);
            }
            catch (RegistryCredentialException fault)
            {
                AssertSentences(fault.Message);
            }
            // As far as the commands go without contacting what the file names.
            Assert.That(await RunAsync(["disable", "--kubeconfig", PathOfInput, "--context", "nowhere"]), Is.InRange(1, 2));
            return await RunAsync(["credential", "get"]);
        });

    [Test]
    public async Task Command_lines_are_rejected_in_sentences()
    {
        string[] files =
        [
            _folder.Write("config.yaml", HostileInputs.Configuration),
            _folder.Write("mirror.yaml", HostileInputs.MirrorFile),
            _folder.Write("regsync.yaml", HostileInputs.FilesOf("regsync")[0]),
            _folder.Write("self.rsp", $"@{_folder.PathOf("self.rsp")}"),
            _folder.PathOf("nowhere"),
            _folder.PathOf("."),
            "/dev/null",
        ];
        for (var seed = FirstSeed; seed < FirstSeed + CommandLines; seed++)
        {
            var words = new HostileInputs(seed).CommandLine(files);
            var parsed = CommandTree.Parse(words);
            var isHelp = words.Any(word => word is "--help" or "-h");
            if (parsed.Errors.Count == 0 && !isHelp && Leaving.Contains(parsed.CommandResult.Command.Name))
                continue;
            await CheckAsync(seed, string.Join(' ', words), () => RunAsync(words));
        }
    }

    /// <summary>Whether a mirror file is valid; then all that precedes its first request works.</summary>
    private static bool IsReadyToAsk(string text)
    {
        try
        {
            using var registries = RegistryServices.Create(
                MirrorFileReader.ReadText("x", text).Registries,
                EnvironmentVariables.None,
                TimeProvider.System,
                NullLoggerFactory.Instance
            );
            return true;
        }
        catch (ConfigurationException)
        {
            return false;
        }
    }

    private static async Task ForFilesAsync(Func<string, Task<int>> run, params IReadOnlyList<string> valid)
    {
        foreach (var (index, text) in HostileInputs.ByHand.Index())
            await CheckAsync(-index, text, () => run(text));
        for (var seed = FirstSeed; seed < FirstSeed + FilesOfEachKind; seed++)
        {
            var text = new HostileInputs(seed).File(valid);
            await CheckAsync(seed, text, () => run(text));
        }
    }

    private static async Task CheckAsync(int seed, string input, Func<Task<int>> run)
    {
        try
        {
            var before = GC.GetTotalAllocatedBytes();
            Assert.That(await run(), Is.InRange(0, 2));
            Assert.That(
                GC.GetTotalAllocatedBytes() - before,
                Is.LessThan(Math.Min(SmallestLimit + LimitPerCharacter * input.Length, LargestLimit)),
                "bytes that were allocated"
            );
        }
        catch (Exception fault)
        {
            throw new AssertionException($"seed {seed}: {fault.Message}\ninput: {input[..Math.Min(input.Length, 2000)]}", fault);
        }
    }

    private static async Task<int> RunAsync(string[] arguments)
    {
        using var console = new StringWriter();
        using var input = new StringReader("r.example");
        Console.SetOut(console);
        Console.SetError(console);
        Console.SetIn(input);
        var exitCode = await CommandTree.RunAsync(arguments);
        // JSON is written to the process's own standard output.
        var isElsewhere = arguments.Contains("json") && string.IsNullOrWhiteSpace(console.ToString());
        AssertSentences(console.ToString(), isElsewhere ? 0 : exitCode);
        return exitCode;
    }

    private static void AssertSentences(string text, int exitCode = 0)
    {
        if (Sentences.WrongIn(exitCode, text) is { } what)
            throw new InvalidOperationException($"{what}: {text}");
    }
}
