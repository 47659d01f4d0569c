using System.CommandLine;
using ProxySwapper.Commands.Options;
using ProxySwapper.Commands.Output;
using ProxySwapper.Configuration;
using ProxySwapper.Configuration.Yaml;
using ProxySwapper.Kubernetes;
using ProxySwapper.Registries;
using ProxySwapper.Registry;
using ProxySwapper.Reporting;
using ProxySwapper.Rules;
using ProxySwapper.Switching;

namespace ProxySwapper.Commands;

/// <summary>The images of a cluster or of manifests, and what commands need to work with them.</summary>
/// <param name="Options">The configuration whose rules decided.</param>
/// <param name="Builder">The images.</param>
/// <param name="Problems">What could not be read; more may be added.</param>
/// <param name="Client">The cluster; null for manifests.</param>
/// <param name="Progress">Shows progress to the user.</param>
internal sealed record ImageScan(
    ProxySwapperOptions Options,
    ReportBuilder Builder,
    ReportProblems Problems,
    KubernetesClient? Client,
    ProgressLine Progress
)
{
    /// <summary>The response of Docker Hub, if it was queried.</summary>
    public PullLimit PullLimit { get; private set; } = new(null);

    /// <summary>Checks whether each target has its image.</summary>
    public async Task CheckAsync(bool compareDigests, ILoggerFactory loggers, CancellationToken cancellationToken)
    {
        using var registries = DownstreamCheck.Connect(RegistryEntries, TimeProvider.System, loggers);
        if (compareDigests && Options.Populate.Platforms.Count > 0)
        {
            Problems.Add("Digests are not compared: with populate.platforms, copies have digests of their own.");
            compareDigests = false;
        }
        var all = Builder.Entries.Select(entry => entry.Target).OfType<ImageReference>().Distinct().Count();
        await new DownstreamCheck(registries, compareDigests).RunAsync(
            Builder.Entries,
            done => Progress.Show($"checked {done} of {CountFormat.Format(all, "image")}"),
            cancellationToken
        );
        PullLimit = PullLimit.Of(registries.Clients.RateLimits);
        Progress.Clear();
    }

    /// <summary>The connections to registries.</summary>
    public IReadOnlyList<RegistryEntryOptions> RegistryEntries { get; } =
        ImpliedRegistryEntries.Entries(Options, EnvironmentVariables.OfProcess());
}

/// <summary>The options of commands that read all images of a cluster or of manifests.</summary>
internal sealed class ImageScanOptions
{
    private readonly KubernetesOptions _kubernetes = new();
    private readonly Option<string?> _config = new("--config")
    {
        Description = "The configuration file. Default: PROXY_URL and PROXYSWAPPER_… variables, else the release in the cluster.",
    };
    private readonly Option<string?> _namespace = new("--namespace", "-n")
    {
        Description = "Only this namespace, which with -f is also that of manifests without one (else default). Default: all.",
    };
    private readonly Option<string[]> _files = new("--filename", "-f")
    {
        Description = "Reads manifests instead of a cluster, YAML or JSON; - is standard input. Default: the cluster.",
        DefaultValueFactory = _ => [],
    };
    private readonly Option<string> _webhook = new("--webhook-name")
    {
        Description =
            "The MutatingWebhookConfiguration, whose selectors decide which Pods are rewritten; with -f, if it is among the files.",
        DefaultValueFactory = _ => WebhookSwitch.DefaultName,
    };

    public void AddTo(Command command)
    {
        foreach (var option in (Option[])[_config, _namespace, _files, _webhook])
            command.Add(option);
        _kubernetes.AddTo(command);
    }

    /// <summary>Reads all images and passes them on. Failures are reported as by all commands.</summary>
    public Task<int> RunAsync(
        ParseResult arguments,
        Func<ParseResult, ImageScan, CancellationToken, Task<int>> goOn,
        CancellationToken cancellationToken
    ) =>
        arguments.GetValue(_files) is { Length: > 0 } files
            ? ConfigurationFaults.ReportAsync(async () =>
            {
                var options = await ReadOptionsAsync(arguments, null, cancellationToken);
                var problems = new ReportProblems();
                var manifests = new ManifestScan(files, arguments.GetValue(_namespace), problems);
                // A standard input may never end.
                var scope = await Task.Run(() => manifests.Read(arguments.GetValue(_webhook)!, options.AdmissionPolicy), cancellationToken)
                    .WaitAsync(cancellationToken);
                var builder = new ReportBuilder(RuleSet.Compile(options), scope);
                manifests.AddTo(builder);
                return await goOn(arguments, new ImageScan(options, builder, problems, null, new ProgressLine()), cancellationToken);
            })
            : _kubernetes.RunAsync(
                arguments,
                async client =>
                {
                    var options = await ReadOptionsAsync(arguments, client, cancellationToken);
                    var problems = new ReportProblems();
                    var name = arguments.GetValue(_webhook)!;
                    var only = arguments.GetValue(_namespace);
                    var scope = await WebhookScope.ReadAsync(client, name, options.AdmissionPolicy, only, problems, cancellationToken);
                    var builder = new ReportBuilder(RuleSet.Compile(options), scope);
                    var progress = new ProgressLine();
                    try
                    {
                        var cluster = new ClusterScan(client, only, problems, progress.Show);
                        await cluster.RunAsync(builder, cancellationToken);
                        var scan = new ImageScan(options, builder, problems, client, progress);
                        return await goOn(arguments, scan, cancellationToken);
                    }
                    finally
                    {
                        progress.Clear();
                    }
                }
            );

    private async Task<ProxySwapperOptions> ReadOptionsAsync(
        ParseResult arguments,
        KubernetesClient? client,
        CancellationToken cancellationToken
    )
    {
        var file = arguments.GetValue(_config);
        var options = ConfigurationReader.Read(file, EnvironmentVariables.OfProcess());
        if (file is not null || options.Rules.Count > 0 || options.ProxyUrl is not null || client is null)
            return options;
        return await ReleaseConfiguration.FindAsync(client, arguments.GetValue(_webhook)!, cancellationToken)
            ?? throw new ConfigurationException([
                new("(no configuration)", 0, 0, "", "no ConfigMap of a release found in the cluster; use --config FILE or set PROXY_URL"),
            ]);
    }
}
