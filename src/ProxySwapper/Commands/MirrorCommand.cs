using System.CommandLine;
using System.CommandLine.Parsing;
using ProxySwapper.Mirroring;
using ProxySwapper.Registries;

namespace ProxySwapper.Commands;

/// <summary><c>proxyswapper mirror</c>: one pass over a file of repositories.</summary>
internal static class MirrorCommand
{
    private const string DefaultFile = "/config/replicant.yaml";

    public static Command Create()
    {
        var configFile = new Option<string?>("--config-file", "-c", "--config")
        {
            Description = $"The mirror file. Default {DefaultFile}; also by PROXYSWAPPER_MIRROR_CONFIG_FILE or REPLICANT_CONFIG_FILE.",
        };
        var debug = new Option<bool>("--debug", "-d")
        {
            Description = "Tells every decision. Also by PROXYSWAPPER_MIRROR_DEBUG or REPLICANT_DEBUG.",
        };
        var exitOnError = new Option<bool>("--exit-on-error", "-e")
        {
            Description = "Stops at the first failure. Also by PROXYSWAPPER_MIRROR_EXIT_ON_ERROR or REPLICANT_EXIT_ON_ERROR.",
        };
        var dryRun = new Option<bool>("--dry-run") { Description = "Prints what a run would copy, and copies nothing." };
        var parallel = new Option<int>("--parallel")
        {
            Description = "Repositories looked at, and images copied, at once.",
            DefaultValueFactory = _ => 4,
        };
        parallel.Validators.Add(result =>
            Require(result, result.GetValueOrDefault<int>() is >= 1 and <= 256, "--parallel must be from 1 to 256")
        );
        var shard = new Option<MirrorShard?>("--shard")
        {
            Description = "This machine's share, I/N with I from 0. Default from JOB_COMPLETION_INDEX and JOB_PARALLELISM, else all.",
            CustomParser = ParseShard,
        };
        var onRateLimit = new Option<RateLimitAction>("--on-rate-limit")
        {
            Description = "When a registry grants no more pulls: wait as long as it says, or stop and leave the rest to the next run.",
        };
        var report = new Option<string?>("--report") { Description = "Writes the outcome of each tag to a file, as JSON." };

        var command = new Command("mirror", "Mirrors repositories by SemVer mode, in one pass.")
        {
            configFile,
            debug,
            exitOnError,
            dryRun,
            parallel,
            shard,
            onRateLimit,
            report,
        };
        command.SetAction(
            (arguments, cancellationToken) =>
                ConfigurationFaults.ReportAsync(async () =>
                {
                    var environment = MirrorEnvironment.Read(Environment.GetEnvironmentVariable);
                    var file = MirrorFileReader.Read(arguments.GetValue(configFile) ?? environment.ConfigFile ?? DefaultFile);
                    var settings = new MirrorSettings
                    {
                        Parallel = arguments.GetValue(parallel),
                        Shard = arguments.GetValue(shard) ?? environment.Shard,
                        DryRun = arguments.GetValue(dryRun),
                        ExitOnError = arguments.GetValue(exitOnError) || environment.ExitOnError,
                        OnRateLimit = arguments.GetValue(onRateLimit),
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
        using var loggers = CommandLogging.Create(isDebug ? LogLevel.Debug : LogLevel.Warning);
        using var access = RegistryServices.Create(file.Registries, TimeProvider.System, loggers);
        var report = ProgramConsole.IsTerminal
            ? await TableMirrorOutput.ShowAsync(ProgramConsole.Create(), settings.DryRun, PassAsync)
            : await PassAsync(new LineMirrorOutput(Console.Out, settings.DryRun));
        Console.WriteLine(MirrorLine.Summary(report));
        if (reportFile is not null)
        {
            await using var stream = File.Create(reportFile);
            report.WriteTo(stream);
        }
        return report.IsComplete ? 0 : 1;

        Task<MirrorReport> PassAsync(IMirrorOutput output) =>
            MirrorRun.Create(file, settings, access, output, TimeProvider.System).RunAsync(cancellationToken);
    }

    private static MirrorShard? ParseShard(ArgumentResult result)
    {
        if (MirrorShard.TryParse(result.Tokens[0].Value, out var shard))
            return shard;
        result.AddError($"--shard must be I/N, I from 0 and below N, not '{result.Tokens[0].Value}'");
        return null;
    }

    private static void Require(SymbolResult result, bool holds, string message)
    {
        if (!holds)
            result.AddError(message);
    }
}
