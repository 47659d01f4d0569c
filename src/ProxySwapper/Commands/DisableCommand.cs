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
                        if (arguments.GetValue(discard))
                            Console.WriteLine(
                                await webhook.DiscardAsync(cancellationToken) ? $"Removed {name}." : $"{name} not found: nothing to remove."
                            );
                        else if (await webhook.DisableAsync(place.StoreOf(arguments, client), cancellationToken) is { } store)
                            Console.WriteLine(
                                $"Removed {name}: Pods now start with their original images. "
                                    + $"`proxyswapper enable` restores it from {store}."
                            );
                        else
                            Console.WriteLine($"{name} not found: nothing to disable.");
                        var remaining = await webhook.FindRemainingAsync(cancellationToken);
                        if (remaining is not null)
                            await Console.Error.WriteLineAsync(
                                $"{remaining} {name} still exists and rewrites images: "
                                    + "run `proxyswapper disable --file FILE` to remove it too, with a FILE of its own"
                            );
                        // From now on no Pod is gated; release those that still wait.
                        var version = await KubernetesVersion.GetAsync(client, cancellationToken);
                        var released = version.IsAtLeast(1, 27) ? await ReleaseCommand.RunAsync(client, null, false, cancellationToken) : 0;
                        return remaining is null ? released : 1;
                    }
                )
        );
        return command;
    }
}
