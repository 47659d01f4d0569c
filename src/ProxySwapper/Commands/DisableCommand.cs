using System.CommandLine;
using ProxySwapper.Kubernetes;
using ProxySwapper.Switching;

namespace ProxySwapper.Commands;

/// <summary><c>proxyswapper disable</c>: the way out of the webhook, and the first thing that an uninstallation does.</summary>
internal static class DisableCommand
{
    public static Command Create()
    {
        var place = new RemovedWebhookOptions();
        var discard = new Option<bool>("--discard")
        {
            Description = "Keeps nothing: only an upgrade of the chart brings the webhook back.",
        };
        var kubernetes = new KubernetesOptions();
        var command = new ExampleCommand(
            "disable",
            "Takes the webhook out of every Pod's way at once, and keeps its configuration for `enable`.",
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
                                await webhook.DiscardAsync(cancellationToken)
                                    ? $"{name} is removed."
                                    : $"{name} is not there: nothing to remove."
                            );
                        else if (await webhook.DisableAsync(place.StoreOf(arguments, client), cancellationToken) is { } store)
                            Console.WriteLine(
                                $"{name} is removed: Pods start with the images that they name. "
                                    + $"`proxyswapper enable` puts it back from {store}."
                            );
                        else
                            Console.WriteLine($"{name} is not there: nothing to disable.");
                        // Nobody gates Pods from now on; those that wait must not wait for ever.
                        var version = await KubernetesVersion.GetAsync(client, cancellationToken);
                        return version.IsAtLeast(1, 27) ? await ReleaseCommand.RunAsync(client, null, false, cancellationToken) : 0;
                    }
                )
        );
        return command;
    }
}
