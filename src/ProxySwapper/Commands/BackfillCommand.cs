using System.CommandLine;
using System.CommandLine.Parsing;
using ProxySwapper.Backfilling;
using ProxySwapper.Commands.Options;
using ProxySwapper.Commands.Output;
using ProxySwapper.Mirroring;
using ProxySwapper.Patterns;
using ProxySwapper.Population.Transfer;
using ProxySwapper.Registries;
using ProxySwapper.Registry;
using ProxySwapper.Registry.Timing;
using ProxySwapper.Reporting;

namespace ProxySwapper.Commands;

/// <summary><c>proxyswapper backfill</c>: copies the images that <c>report</c> shows as missing.</summary>
internal static class BackfillCommand
{
    private const string MissingAfter = "missing-after";
    private const int MaximumListed = 20;
    private static readonly TimeSpan MaximumTimeout = TimeSpan.FromHours(1000);

    public static Command Create()
    {
        var images = new ImageScanOptions();
        var dryRun = new Option<bool>("--dry-run") { Description = "Prints what would be copied, without copying." };
        var wait = new Option<bool>("--wait")
        {
            Description = "Continues until every image is downstream: waits for pull limits and retries failures.",
        };
        var timeout = new Option<TimeSpan>("--timeout")
        {
            HelpName = "duration",
            Description = "The maximum time, such as 30m. Default: 0, no limit.",
            CustomParser = ParseTimeout,
        };
        var only = new Option<RegistryName?>("--only")
        {
            HelpName = $"{MissingAfter} REGISTRY",
            Description = $"Only images that could not restart without a registry, such as {MissingAfter} docker.io. Default: all.",
            Arity = new ArgumentArity(2, 2),
            AllowMultipleArgumentsPerToken = true,
            CustomParser = ParseOnly,
        };
        var parallel = IntegerOption.Create("--parallel", "Images copied at once.", 1, 256, 4);
        var command = new ExampleCommand(
            "backfill",
            "Copies every image of a cluster that is missing downstream, the most used first.",
            "proxyswapper backfill --dry-run --only missing-after docker.io",
            "proxyswapper backfill --wait && kubectl drain node-1"
        )
        {
            dryRun,
            wait,
            timeout,
            only,
            parallel,
        };
        images.AddTo(command);
        command.SetAction(
            async (arguments, cancellationToken) =>
            {
                var limit = arguments.GetValue(timeout) is { Ticks: > 0 } most ? most : Timeout.InfiniteTimeSpan;
                using var end = new OperationTimeout(limit, TimeProvider.System, cancellationToken);
                try
                {
                    return await images.RunAsync(arguments, FinishAsync, end.Token);
                }
                catch (OperationCanceledException) when (end.Token.IsCancellationRequested)
                {
                    await Console.Error.WriteLineAsync("Stopped; nothing was copied.");
                    return 1;
                }
            }
        );
        return command;

        Task<int> FinishAsync(ParseResult arguments, ImageScan scan, CancellationToken cancellationToken)
        {
            var settings = new BackfillSettings(arguments.GetValue(parallel), arguments.GetValue(dryRun), arguments.GetValue(wait));
            return RunAsync(scan, settings, arguments.GetValue(only), cancellationToken);
        }
    }

    private static async Task<int> RunAsync(
        ImageScan scan,
        BackfillSettings settings,
        RegistryName? registry,
        CancellationToken cancellationToken
    )
    {
        using var loggers = CommandLogging.Create(isDebug: false);
        await scan.CheckAsync(compareDigests: false, loggers, cancellationToken);
        using var registries = RegistryServices.Create(
            scan.RegistryEntries,
            EnvironmentVariables.OfProcess(),
            TimeProvider.System,
            loggers
        );
        var report = ImageReport.Create(scan.Builder, scan.Problems);
        foreach (var problem in report.Problems)
            await Console.Error.WriteLineAsync($"Unknown: {problem}");
        foreach (var assumption in report.Assumptions)
            await Console.Error.WriteLineAsync($"Assumed: {assumption}");
        var plan = BackfillPlan.Create(report, registry);
        var result = ProgramConsole.IsTerminal
            ? await TableMirrorOutput.ShowAsync(ProgramConsole.Create(), settings.DryRun, CopyAsync)
            : await CopyAsync(new LineMirrorOutput(Console.Out, settings.DryRun));
        Console.WriteLine(MirrorLine.Summary(result));
        foreach (var line in NotCopied(report, registry))
            await Console.Error.WriteLineAsync(line);
        var invalid = InvalidImages(report, registry);
        foreach (var line in invalid.Take(MaximumListed))
            await Console.Error.WriteLineAsync(line);
        if (invalid.Count > MaximumListed)
            await Console.Error.WriteLineAsync($"not copied: {invalid.Count - MaximumListed} more that are not valid");
        return result.IsComplete && plan.Skipped.Count == 0 && invalid.Count == 0 && !report.IsIncomplete ? 0 : 1;

        Task<MirrorReport> CopyAsync(IMirrorOutput output)
        {
            var time = TimeProvider.System;
            var transfer = ImageTransfer.Create(
                registries,
                scan.Client,
                () => true,
                () => scan.Options.Populate.CopyTimeout,
                time,
                loggers.CreateLogger<SourceCredentials>()
            );
            var gate = new RateLimitGate(settings.Wait ? RateLimitAction.Wait : RateLimitAction.Stop, output, time);
            return new BackfillRun(transfer, gate, output, settings, time).RunAsync(plan, cancellationToken);
        }
    }

    /// <summary>Images, and names that rules would give them, that are not references.</summary>
    private static List<string> InvalidImages(ImageReport report, RegistryName? registry) =>
        [
            .. report
                .Entries.Where(entry => registry is null || entry.Origin == registry)
                .Select(entry => entry.Decision.Warning)
                .OfType<string>()
                .Select(warning => $"not copied: {PlainText.Of(warning)}"),
        ];

    /// <summary>Images that copying does not help: no rule rewrites them, or their target fetches them itself.</summary>
    private static IEnumerable<string> NotCopied(ImageReport report, RegistryName? registry)
    {
        if (Count(entry => entry is { State: ImageState.Unswapped, Decision.Warning: null }) is { } unswapped)
            yield return $"{unswapped} cannot be copied: no rule sends them downstream; see proxyswapper report";
        if (Count(entry => entry is { State: ImageState.OnDemand, Work: null }) is { } onDemand)
            yield return $"{onDemand} not copied: the target asks its upstream for them on demand (populate: false)";

        string? Count(Func<ImageEntry, bool> isCounted)
        {
            var count = report.Entries.Count(entry =>
                isCounted(entry) && entry.Registry is not null && (registry is null || entry.Origin == registry)
            );
            return count == 0 ? null : $"{CountFormat.Format(count, "image")}{(registry is null ? "" : $" of {registry}")}";
        }
    }

    private static TimeSpan ParseTimeout(ArgumentResult result)
    {
        var text = result.Tokens[0].Value;
        if (!DurationParser.TryParse(text, out var duration))
            result.AddError($"--timeout must be a duration, such as 90s, 30m or 2h, not '{text}'");
        else if (duration > MaximumTimeout)
            result.AddError($"--timeout must be at most {DurationParser.Format(MaximumTimeout)}, not '{text}'; use 0 for no limit");
        return duration;
    }

    private static RegistryName? ParseOnly(ArgumentResult result)
    {
        var (kind, text) = (result.Tokens[0].Value, result.Tokens.Count > 1 ? result.Tokens[1].Value : "");
        if (kind != MissingAfter)
            result.AddError($"--only must be {MissingAfter} REGISTRY, not '{kind}'");
        else if (RegistryName.TryParse(text, out var registry))
            return registry;
        else
            result.AddError($"--only {MissingAfter} requires the host of a registry, such as docker.io, not '{text}'");
        return null;
    }
}
