using System.CommandLine;
using ProxySwapper.Commands.Options;
using ProxySwapper.Kubernetes;
using ProxySwapper.Switching;

namespace ProxySwapper.Commands;

/// <summary><c>proxyswapper disable</c>: removes the webhook; also the first step of an uninstall.</summary>
internal static class DisableCommand
{
    public static Command Create()
    {
        var place = new RemovedWebhookOptions();
        var discard = new Option<bool>("--discard") { Description = "Keeps no copy: only an upgrade of the chart restores the webhook." };
        var kubernetes = new KubernetesOptions();
        var command = new ExampleCommand(
            "disable",
            "Removes the webhook from the API server at once, keeping its configuration for `enable`, and releases gated Pods.",
            "proxyswapper disable",
            "proxyswapper disable --context production --file webhook.json"
        );
        place.AddTo(command);
        command.Add(discard);
        kubernetes.AddTo(command);
        command.Validators.Add(result =>
        {
            if (result.IsSet(discard) && place.IsGiven(result))
                result.AddError("--discard cannot be combined with --config-map or --file");
        });
        command.SetAction(
            (arguments, cancellationToken) =>
                kubernetes.RunAsync(
                    arguments,
                    async client =>
                    {
                        var name = arguments.GetValue(place.Name)!;
                        var webhook = new WebhookSwitch(client, name);
                        RemovedObjects? removed = null;
                        if (arguments.GetValue(discard))
                            Console.WriteLine(
                                await webhook.DiscardAsync(cancellationToken) ? $"Removed {name}." : $"{name} not found: nothing to remove."
                            );
                        else if ((removed = await webhook.DisableAsync(place.StoreOf(arguments, client), cancellationToken)) is not null)
                            await ReportAsync(name, removed);
                        else
                            Console.WriteLine($"{name} not found: nothing to disable.");
                        // From now on no Pod is gated; release those that still wait.
                        var version = await KubernetesVersion.GetAsync(client, cancellationToken);
                        var released = version.IsAtLeast(1, 27)
                            ? await ReleaseCommand.RunAsync(client, null, false, null, cancellationToken)
                            : 0;
                        return removed?.Fault is null ? released : 1;
                    }
                )
        );
        return command;
    }

    private static async Task ReportAsync(string name, RemovedObjects removed)
    {
        if (removed.Fault is { } fault)
        {
            Console.WriteLine($"Removed the {removed.Kinds[0]} {name}; its configuration is in {removed.Store}.");
            await Console.Error.WriteLineAsync(
                $"Another object {name} could not be removed and still rewrites images: {fault}. "
                    + "Remove it with `proxyswapper disable --file FILE`, with a FILE of its own"
            );
            return;
        }
        var isOne = removed.Kinds is [_];
        Console.WriteLine(
            $"Removed {name}{(isOne ? "" : $" ({string.Join(" and ", removed.Kinds)})")}: Pods now start with their original images. "
                + $"`proxyswapper enable` restores {(isOne ? "it" : "both")} from {removed.Store}."
        );
    }
}
