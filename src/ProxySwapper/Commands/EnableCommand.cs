using System.CommandLine;
using ProxySwapper.Commands.Options;
using ProxySwapper.Switching;

namespace ProxySwapper.Commands;

/// <summary><c>proxyswapper enable</c>: restores exactly what <c>disable</c> removed.</summary>
internal static class EnableCommand
{
    public static Command Create()
    {
        var place = new RemovedWebhookOptions();
        var kubernetes = new KubernetesOptions();
        var command = new ExampleCommand(
            "enable",
            "Restores the webhook that `disable` removed.",
            "proxyswapper enable",
            "proxyswapper enable --context production --file webhook.json"
        );
        place.AddTo(command);
        kubernetes.AddTo(command);
        command.SetAction(
            (arguments, cancellationToken) =>
                kubernetes.RunAsync(
                    arguments,
                    async client =>
                    {
                        var name = arguments.GetValue(place.Name)!;
                        var store = place.StoreOf(arguments, client) ?? await ConfigMapStore.FindOfAsync(client, name, cancellationToken);
                        var outcome = await new WebhookSwitch(client, name).EnableAsync(store, cancellationToken);
                        Console.WriteLine(
                            outcome == EnableOutcome.Restored
                                ? $"Restored {name}: images are rewritten again."
                                : $"{name} already exists: nothing to enable."
                        );
                        return 0;
                    }
                )
        );
        return command;
    }
}
