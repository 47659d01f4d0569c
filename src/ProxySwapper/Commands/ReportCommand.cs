using System.CommandLine;
using ProxySwapper.Commands.Options;
using ProxySwapper.Reporting;
using ProxySwapper.Rules;

namespace ProxySwapper.Commands;

/// <summary>
/// <c>proxyswapper report</c>: which images a cluster runs, where they come from, and whether it could restart without those registries.
/// </summary>
internal static class ReportCommand
{
    private const string Text = "text";
    private const string Json = "json";
    private const string Html = "html";
    private const string Missing = "missing";
    private const string Unswapped = "unswapped";

    public static Command Create()
    {
        var images = new ImageScanOptions();
        var output = new Option<string>("--output", "-o")
        {
            Description = "The format: text, json or html.",
            DefaultValueFactory = _ => Text,
        };
        output.AcceptOnly(Text, Json, Html);
        var digests = new Option<bool>("--digests")
        {
            Description = "Also compares digests with each source (by HEAD, which Docker Hub does not count as a pull).",
        };
        var noCheck = new Option<bool>("--no-check")
        {
            Description = "Makes no registry requests; which images are downstream remains unknown.",
        };
        var failOn = new Option<string[]>("--fail-on")
        {
            Description =
                "Exits with 1 if an image is missing downstream, or not rewritten, or could not be read. Can be given twice. "
                + "Default: neither.",
            DefaultValueFactory = _ => [],
        };
        failOn.AcceptOnly(Missing, Unswapped);
        var command = new ExampleCommand(
            "report",
            "Shows every image of a cluster: its rule, its target, whether it exists there, and which workloads use it.",
            "proxyswapper report -o html > report.html",
            "helm template my-app | proxyswapper report --config config.yaml -f - --fail-on missing"
        )
        {
            output,
            digests,
            noCheck,
            failOn,
        };
        images.AddTo(command);
        command.Validators.Add(result =>
        {
            if (!result.IsSet(noCheck))
                return;
            if (result.IsSet(digests))
                result.AddError("--no-check and --digests cannot be combined");
            if (result.GetResult(failOn)?.Tokens.Any(token => token.Value == Missing) == true)
                result.AddError(
                    $"--no-check and --fail-on {Missing} cannot be combined: without requests, no image is known to be missing"
                );
        });
        command.SetAction((arguments, cancellationToken) => images.RunAsync(arguments, FinishAsync, cancellationToken));
        return command;

        async Task<int> FinishAsync(ParseResult arguments, ImageScan scan, CancellationToken cancellationToken)
        {
            if (!arguments.GetValue(noCheck))
            {
                using var loggers = CommandLogging.Create(isDebug: false);
                await scan.CheckAsync(arguments.GetValue(digests), loggers, cancellationToken);
            }
            scan.Progress.Clear();
            var report = ImageReport.Create(scan.Builder, scan.Problems, scan.PullLimit);
            Write(report, arguments.GetValue(output)!);
            var states = arguments.GetValue(failOn)!;
            // Manifests were given to be read; of a cluster, a report shows what may be seen.
            var mustBeComplete = states.Length > 0 || scan.Client is null;
            return mustBeComplete && report.IsIncomplete || IsFailure(report, states) ? 1 : 0;
        }
    }

    private static void Write(ImageReport report, string format)
    {
        switch (format)
        {
            case Json:
                using (var output = Console.OpenStandardOutput())
                {
                    JsonReport.Write(output, report, isIndented: true);
                    output.Write("\n"u8);
                }
                break;
            case Html:
                HtmlReport.Write(Console.Out, report);
                break;
            default:
                TextReport.Write(Console.Out, report);
                break;
        }
    }

    /// <summary>No Pod starts with an image that is not a reference: it counts for both.</summary>
    private static bool IsFailure(ImageReport report, string[] failOn) =>
        failOn.Contains(Missing)
            && report.Entries.Any(entry =>
                entry.State is ImageState.Missing or ImageState.Unknown || entry.Decision.Reason == DecisionReason.Invalid
            )
        || failOn.Contains(Unswapped)
            && (
                !report.IsRegistered
                || report.Entries.Any(entry =>
                    entry.State == ImageState.Unswapped
                    && entry.Decision.Reason is DecisionReason.NoRule or DecisionReason.InvalidTarget or DecisionReason.Invalid
                )
            );
}
