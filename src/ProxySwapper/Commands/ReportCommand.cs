using System.CommandLine;
using ProxySwapper.Configuration;
using ProxySwapper.Configuration.Yaml;
using ProxySwapper.Kubernetes;
using ProxySwapper.Registries;
using ProxySwapper.Reporting;
using ProxySwapper.Rules;
using ProxySwapper.Switching;

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
        var kubernetes = new KubernetesOptions();
        var config = new Option<string?>("--config")
        {
            Description =
                "The configuration file. Default: PROXY_URL and PROXYSWAPPER_… of the environment, else the release in the cluster.",
        };
        var @namespace = new Option<string?>("--namespace", "-n") { Description = "Only this namespace. Default: all." };
        var output = new Option<string>("--output", "-o")
        {
            Description = "The format: text, json or html.",
            DefaultValueFactory = _ => Text,
        };
        output.AcceptOnlyFromAmong(Text, Json, Html);
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
            Description = "Exits with 1 if an image is missing downstream, or not rewritten. Can be given twice. Default: neither.",
            DefaultValueFactory = _ => [],
        };
        failOn.AcceptOnlyFromAmong(Missing, Unswapped);
        var files = new Option<string[]>("--filename", "-f")
        {
            Description = "Reads manifests instead of a cluster, YAML or JSON; - is standard input. Default: the cluster.",
            DefaultValueFactory = _ => [],
        };
        var webhook = new Option<string>("--webhook-name")
        {
            Description = "The MutatingWebhookConfiguration.",
            DefaultValueFactory = _ => WebhookSwitch.DefaultName,
        };
        var command = new ExampleCommand(
            "report",
            "Shows every image of a cluster: its rule, its target, whether it exists there, and which workloads use it.",
            "proxyswapper report --namespace team --digests",
            "proxyswapper report -o html > report.html"
        )
        {
            config,
            @namespace,
            output,
            digests,
            noCheck,
            failOn,
            files,
            webhook,
        };
        kubernetes.AddTo(command);
        command.SetAction(
            async (arguments, cancellationToken) =>
            {
                var scan = arguments.GetValue(files) is { Length: > 0 } manifests
                    ? null
                    : new Func<KubernetesClient, Task<int>>(client =>
                        RunAsync(client, OptionsAsync, arguments.GetValue(@namespace), arguments.GetValue(webhook)!)
                    );
                return scan is null
                    ? await ConfigurationFaults.ReportAsync(() => RunOnManifestsAsync())
                    : await kubernetes.RunAsync(arguments, scan);

                async Task<ProxySwapperOptions> OptionsAsync(KubernetesClient? client)
                {
                    var options = ConfigurationReader.Read(arguments.GetValue(config), ConfigurationReader.ProcessEnvironment());
                    if (arguments.GetValue(config) is not null || options.Rules.Count > 0 || client is null)
                        return options;
                    return await ReleaseConfiguration.FindAsync(client, arguments.GetValue(webhook)!, cancellationToken)
                        ?? throw new ConfigurationException([
                            new(
                                "(no configuration)",
                                0,
                                0,
                                "",
                                "no ConfigMap of a release found in the cluster; use --config FILE or set PROXY_URL"
                            ),
                        ]);
                }

                async Task<int> RunAsync(
                    KubernetesClient client,
                    Func<KubernetesClient?, Task<ProxySwapperOptions>> read,
                    string? onlyNamespace,
                    string webhookName
                )
                {
                    var options = await read(client);
                    var problems = new List<string>();
                    var scope = await WebhookScope.ReadAsync(client, webhookName, problems, cancellationToken);
                    var builder = new ReportBuilder(RuleSet.Compile(options), scope.IsExcluded);
                    var progress = new ProgressLine();
                    await new ClusterScan(client, onlyNamespace, problems, progress.Show).RunAsync(builder, cancellationToken);
                    return await FinishAsync(options, builder, problems, progress);
                }

                async Task<int> RunOnManifestsAsync()
                {
                    var options = await OptionsAsync(null);
                    var builder = new ReportBuilder(RuleSet.Compile(options), WebhookScope.Everything.IsExcluded);
                    ManifestScan.Run(arguments.GetValue(files)!, arguments.GetValue(@namespace) ?? "default", builder);
                    return await FinishAsync(options, builder, [], new ProgressLine());
                }

                async Task<int> FinishAsync(
                    ProxySwapperOptions options,
                    ReportBuilder builder,
                    List<string> problems,
                    ProgressLine progress
                )
                {
                    if (!arguments.GetValue(noCheck))
                        await CheckAsync(options, builder, arguments.GetValue(digests), progress, cancellationToken);
                    progress.Clear();
                    var report = ImageReport.Create(builder, problems);
                    Write(report, arguments.GetValue(output)!);
                    return IsFailure(report, arguments.GetValue(failOn)!) ? 1 : 0;
                }
            }
        );
        return command;
    }

    private static async Task CheckAsync(
        ProxySwapperOptions options,
        ReportBuilder builder,
        bool compareDigests,
        ProgressLine progress,
        CancellationToken cancellationToken
    )
    {
        using var loggers = CommandLogging.Create(isDebug: false);
        using var registries = RegistryServices.Create(options.Registries, TimeProvider.System, loggers);
        var all = builder.Entries.Count(entry => entry.Target is not null);
        await new DownstreamCheck(registries, compareDigests).RunAsync(
            builder.Entries,
            done => progress.Show($"checked {done} of {all} images"),
            cancellationToken
        );
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

    private static bool IsFailure(ImageReport report, string[] failOn) =>
        failOn.Contains(Missing) && report.Entries.Any(entry => entry.State is ImageState.Missing or ImageState.Unknown)
        || failOn.Contains(Unswapped)
            && report.Entries.Any(entry =>
                entry.State == ImageState.Unswapped && entry.Decision.Reason is DecisionReason.NoRule or DecisionReason.InvalidTarget
            );
}
