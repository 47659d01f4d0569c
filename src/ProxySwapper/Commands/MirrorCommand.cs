using System.CommandLine;
using System.CommandLine.Parsing;
using ProxySwapper.Commands.Options;
using ProxySwapper.Commands.Output;
using ProxySwapper.Mirroring;
using ProxySwapper.Registries;
using ProxySwapper.Registry;

namespace ProxySwapper.Commands;

/// <summary><c>proxyswapper mirror</c>: one run over the repositories of a mirror file.</summary>
internal static class MirrorCommand
{
    private const string DefaultFile = "/config/replicant.yaml";
    private const string Wait = "wait";
    private const string Stop = "stop";

    public static Command Create()
    {
        var configFile = new Option<string?>("--config-file", "-c", "--config")
        {
            Description = $"The mirror file. Default: PROXYSWAPPER_MIRROR_CONFIG_FILE or REPLICANT_CONFIG_FILE, else {DefaultFile}.",
        };
        var debug = new Option<bool>("--debug", "-d")
        {
            Description = "Logs every request and the decision on every tag. Also set by PROXYSWAPPER_MIRROR_DEBUG or REPLICANT_DEBUG.",
        };
        var exitOnError = new Option<bool>("--exit-on-error", "-e")
        {
            Description = "Stops at the first failure. Also set by PROXYSWAPPER_MIRROR_EXIT_ON_ERROR or REPLICANT_EXIT_ON_ERROR.",
        };
        var dryRun = new Option<bool>("--dry-run") { Description = "Prints what a run would copy without copying it." };
        var parallel = IntegerOption.Create("--parallel", "How many repositories are checked, and images copied, in parallel.", 1, 256, 4);
        var copyTimeout = DurationOption.CreateCopyTimeout();
        var shard = new Option<MirrorShard?>("--shard")
        {
            Description = "The shard to process, I/N with I from 0. Default: JOB_COMPLETION_INDEX and JOB_PARALLELISM, else everything.",
            CustomParser = ParseShard,
        };
        var onRateLimit = new Option<string>("--on-rate-limit")
        {
            Description = "What to do at a registry's pull limit: wait as long as it says, or stop and leave the rest to the next run.",
            DefaultValueFactory = _ => Wait,
        };
        onRateLimit.AcceptOnly(Wait, Stop);
        var report = new Option<string?>("--report")
        {
            Description = "Writes the result of each tag to this file, as JSON. Default: none.",
        };

        var command = new ExampleCommand(
            "mirror",
            "Mirrors repositories by SemVer mode, in one run.",
            "proxyswapper mirror --config-file mirror.yaml --dry-run",
            "proxyswapper mirror --config-file mirror.yaml --parallel 8 --report report.json"
        )
        {
            configFile,
            debug,
            exitOnError,
            dryRun,
            parallel,
            copyTimeout,
            shard,
            onRateLimit,
            report,
        };
        command.SetAction(
            (arguments, cancellationToken) =>
                ConfigurationFaults.ReportAsync(async () =>
                {
                    var environment = MirrorEnvironment.Read(EnvironmentVariables.OfProcess());
                    var file = MirrorFileReader.Read(arguments.GetValue(configFile) ?? environment.ConfigFile ?? DefaultFile);
                    var settings = new MirrorSettings
                    {
                        Parallel = arguments.GetValue(parallel),
                        CopyTimeout = arguments.GetValue(copyTimeout) ?? DurationOption.DefaultCopyTimeout,
                        Shard = arguments.GetValue(shard) ?? environment.Shard,
                        DryRun = arguments.GetValue(dryRun),
                        ExitOnError = arguments.GetValue(exitOnError) || environment.ExitOnError,
                        OnRateLimit = arguments.GetValue(onRateLimit) == Stop ? RateLimitAction.Stop : RateLimitAction.Wait,
                    };
                    return await RunAsync(
                        file,
                        settings,
                        arguments.GetValue(debug) || environment.Debug,
                        arguments.GetValue(report),
                        cancellationToken
                    );
                })
        );
        return command;
    }

    private static async Task<int> RunAsync(
        MirrorFile file,
        MirrorSettings settings,
        bool isDebug,
        string? reportFile,
        CancellationToken cancellationToken
    )
    {
        // Checked before the first request: a run can take hours.
        if (reportFile is not null && !TryWrite(reportFile, FileMode.OpenOrCreate, _ => { }))
            return ConfigurationFaults.ExitCode;
        using var loggers = CommandLogging.Create(isDebug);
        using var access = RegistryServices.Create(file.Registries, EnvironmentVariables.OfProcess(), TimeProvider.System, loggers);
        var report = ProgramConsole.IsTerminal
            ? await TableMirrorOutput.ShowAsync(ProgramConsole.Create(), settings.DryRun, PassAsync)
            : await PassAsync(new LineMirrorOutput(Console.Out, settings.DryRun));
        MirrorTable.Write(Console.Out, report);
        Console.WriteLine(MirrorLine.Summary(report));
        var isWritten = reportFile is null || TryWrite(reportFile, FileMode.Create, report.WriteTo);
        return report.IsComplete && isWritten ? 0 : 1;

        Task<MirrorReport> PassAsync(IMirrorOutput output) =>
            MirrorRun
                .Create(file, settings, access, output, TimeProvider.System, loggers.CreateLogger<MirrorRun>())
                .RunAsync(cancellationToken);
    }

    /// <summary>Writes the report, or says in one line why that is not possible.</summary>
    private static bool TryWrite(string file, FileMode mode, Action<Stream> write)
    {
        try
        {
            if (Directory.Exists(file))
                throw new IOException("it is a directory");
            using var stream = File.Open(file, mode, FileAccess.Write);
            write(stream);
            stream.Flush();
            return true;
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException or ArgumentException or NotSupportedException)
        {
            Console.Error.WriteLine($"cannot write --report {file}: {fault.Message}");
            return false;
        }
    }

    private static MirrorShard? ParseShard(ArgumentResult result)
    {
        if (MirrorShard.TryParse(result.Tokens[0].Value, out var shard))
            return shard;
        result.AddError($"--shard must be I/N with I from 0 to N-1, not '{result.Tokens[0].Value}'");
        return null;
    }
}
