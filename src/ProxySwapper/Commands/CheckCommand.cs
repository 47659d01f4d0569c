using System.CommandLine;
using ProxySwapper.AdmissionPolicies;
using ProxySwapper.Checks;
using ProxySwapper.Commands.Options;
using ProxySwapper.Configuration;
using ProxySwapper.Kubernetes;
using ProxySwapper.Population.Transfer;
using ProxySwapper.Registries;
using ProxySwapper.Registry;
using ProxySwapper.Switching;

namespace ProxySwapper.Commands;

/// <summary>
/// <c>proxyswapper check</c>: checks that a Pod is swapped and that the registries accept our credentials. <c>helm test</c> runs it.
/// </summary>
internal static class CheckCommand
{
    private const int DefaultSeconds = 60;

    public static Command Create()
    {
        var kubernetes = new KubernetesOptions();
        var config = new Option<string?>("--config")
        {
            Description = "The configuration file. Default: PROXY_URL and PROXYSWAPPER_… of the environment.",
        };
        var @namespace = new Option<string>("--namespace", "-n")
        {
            Description = "The namespace of the Pod, which is created by dry run.",
            DefaultValueFactory = _ => "default",
        };
        var images = new Option<string[]>("--image")
        {
            Description = "An image to test; can be repeated. Default: one for each rule.",
            DefaultValueFactory = _ => [],
        };
        var management = new Option<string?>("--management")
        {
            Description =
                "The management port of the running program, such as http://localhost:9090, to read its checks of the registries. Default: "
                + "the registries are checked with the credentials of this process.",
        };
        management.Validators.Add(result =>
        {
            if (result.GetValueOrDefault<string?>() is { } text && ManagementClient.Validate(text) is { } fault)
                result.AddError($"--management {fault}");
        });
        var webhook = new Option<string>("--webhook-name")
        {
            Description = "The MutatingWebhookConfiguration.",
            DefaultValueFactory = _ => WebhookSwitch.DefaultName,
        };
        var timeout = IntegerOption.Create("--timeout", "Seconds to wait for a swapped Pod.", 0, 600, DefaultSeconds);
        var command = new ExampleCommand(
            "check",
            "Creates a Pod by dry run and reports whether its images are swapped and the registries accept our credentials.",
            "proxyswapper check --config config.yaml --namespace team-a --image nginx:1.27",
            "proxyswapper check --config config.yaml --management http://localhost:9090"
        )
        {
            config,
            @namespace,
            images,
            management,
            webhook,
            timeout,
        };
        kubernetes.AddTo(command);
        command.SetAction(
            (arguments, cancellationToken) =>
                kubernetes.RunAsync(
                    arguments,
                    client =>
                        RunAsync(
                            client,
                            new CheckSettings(
                                arguments.GetValue(config),
                                arguments.GetValue(@namespace)!,
                                arguments.GetValue(images)!,
                                arguments.GetValue(management) is { } address ? new Uri(address) : null,
                                arguments.GetValue(webhook)!,
                                TimeSpan.FromSeconds(arguments.GetValue(timeout))
                            ),
                            cancellationToken
                        )
                )
        );
        return command;
    }

    private static async Task<int> RunAsync(KubernetesClient client, CheckSettings settings, CancellationToken cancellationToken)
    {
        var environment = EnvironmentVariables.OfProcess();
        var (file, text) = settings.Configuration is { } path ? (path, ConfigurationReader.TextOf(path)) : ("(no file)", "");
        var options = ConfigurationReader.ReadText(file, text, environment);
        var report = new CheckReport(Console.Out);
        var end = TimeProvider.System.GetUtcNow() + settings.Timeout;
        var untried = new List<string>();
        var samples = SampleImage.Of(options, settings.Namespace, settings.Images, untried);
        if (samples.Count == 0)
            report.Warned(
                $"no Pod is tested: no image to test is known for namespace {settings.Namespace}; where rules swap images there, name one "
                    + "with --image (test.images in the chart's values), or another namespace with --namespace (test.namespace)"
            );
        var before = report.Count;
        var isUnexplained = samples.Count > 0 && !await TrySwapAsync(report, client, options, settings, samples, cancellationToken);
        if (options.AdmissionPolicy.Name is { } policy)
        {
            var compiled = PolicyCompiler.Compile(options, ConfigurationLocations.Of(file, text, environment));
            var isInForce = await new PolicyCheck(client, policy, TimeProvider.System).RunAsync(
                report,
                compiled,
                settings.Namespace,
                end,
                cancellationToken
            );
            if (isUnexplained && isInForce)
                report.Note(
                    "the API server does not apply it to this Pod: it may take some seconds to load it, or a match condition "
                        + "(webhook.matchConditions) leaves the Pod out"
                );
        }
        else if (isUnexplained)
            report.Note(await RegistrationCheck.ReasonAsync(client, settings.Webhook, settings.Namespace, cancellationToken));
        foreach (var rule in untried)
            report.Note($"{rule} is not tested: it does not apply here, or requires --image");
        if (settings.Management is { } management)
            await TargetCheck.ReadAsync(report, management, cancellationToken);
        else
        {
            using var loggers = CommandLogging.Create(isDebug: false);
            using var registries = RegistryServices.Create(
                options.Registries,
                EnvironmentVariables.OfProcess(),
                TimeProvider.System,
                loggers,
                RegistryConnections.TuneForLookups
            );
            await TargetCheck.CheckRegistriesAsync(report, options, registries, cancellationToken);
        }
        if (samples.Count == 0 && report.Count == before)
            report.Failed(
                "nothing was checked: name the webhook's configuration with --config, an image with --image, or the running program with "
                    + "--management"
            );
        Console.WriteLine(report.HasFailed ? "The check failed." : "The check passed.");
        return report.HasFailed ? 1 : 0;
    }

    /// <returns>False if the Pod was created and nothing shows that the API server swaps it.</returns>
    private static async Task<bool> TrySwapAsync(
        CheckReport report,
        KubernetesClient client,
        ProxySwapperOptions options,
        CheckSettings settings,
        IReadOnlyList<SampleImage> samples,
        CancellationToken cancellationToken
    )
    {
        try
        {
            var check = new SwapCheck(client, options, TimeProvider.System);
            return await check.RunAsync(report, settings.Namespace, samples, settings.Timeout, cancellationToken);
        }
        catch (KubernetesException problem)
        {
            report.Failed($"cannot test a Pod in namespace {settings.Namespace}: {problem.Message}");
            return true;
        }
    }

    /// <summary>The command line's settings.</summary>
    /// <param name="Configuration">The configuration file; null for the environment alone.</param>
    /// <param name="Namespace">The namespace of the Pod.</param>
    /// <param name="Images">The images to test; empty for one of each rule.</param>
    /// <param name="Management">The management port of the running program; null to check the registries from this process.</param>
    /// <param name="Webhook">The name of the MutatingWebhookConfiguration.</param>
    /// <param name="Timeout">How long to wait for a swapped Pod.</param>
    private sealed record CheckSettings(
        string? Configuration,
        string Namespace,
        IReadOnlyList<string> Images,
        Uri? Management,
        string Webhook,
        TimeSpan Timeout
    );
}
