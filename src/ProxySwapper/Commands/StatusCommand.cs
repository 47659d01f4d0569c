using System.CommandLine;
using System.Net;
using ProxySwapper.Commands.Options;
using ProxySwapper.Commands.Output;
using ProxySwapper.Kubernetes;
using ProxySwapper.Registry;

namespace ProxySwapper.Commands;

/// <summary><c>proxyswapper status</c>: the page of the management port on a terminal.</summary>
internal static class StatusCommand
{
    private const string TokenVariable = "MANAGEMENT_TOKEN";

    public static Command Create()
    {
        var kubernetes = new KubernetesOptions();
        var url = new Argument<string?>("URL")
        {
            Description =
                "The management port, such as http://localhost:9090. Default: all running replicas, by port-forward, "
                + "which requires the rights to list pods and to get and create pods/portforward.",
            Arity = ArgumentArity.ZeroOrOne,
        };
        url.Validators.Add(result =>
        {
            if (result.Tokens is [{ Value: var text }] && ManagementClient.Validate(text) is { } fault)
                result.AddError($"URL {fault}");
        });
        var token = new Option<string?>("--token-file")
        {
            Description = $"The file with the token of management.tokenFrom. Default: {TokenVariable} of the environment.",
        };
        var @namespace = new Option<string?>("--namespace", "-n") { Description = "The namespace of the replicas. Default: all." };
        var selector = new Option<string>("--selector", "-l")
        {
            Description = "The labels of the replicas.",
            DefaultValueFactory = _ => ReplicaStatus.DefaultSelector,
        };
        var command = new ExampleCommand(
            "status",
            "Shows which Pods wait for an image, what is being copied, what failed and why, and the downstream registries' state.",
            "proxyswapper status --namespace proxyswapper",
            "proxyswapper status http://localhost:9090 --token-file token.txt"
        )
        {
            url,
            token,
            @namespace,
            selector,
        };
        kubernetes.AddTo(command);
        command.SetAction(
            async (arguments, cancellationToken) =>
            {
                string? secret;
                try
                {
                    secret = ReadToken(arguments.GetValue(token));
                }
                catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
                {
                    await Console.Error.WriteLineAsync($"--token-file: {UserInfo.Hide(fault.Message)}");
                    return 2;
                }
                return arguments.GetValue(url) is { } address
                    ? await ShowAsync(new Uri(address), secret, cancellationToken)
                    : await kubernetes.RunAsync(
                        arguments,
                        client =>
                            ShowReplicasAsync(
                                client,
                                arguments.GetValue(@namespace),
                                arguments.GetValue(selector)!,
                                secret,
                                cancellationToken
                            )
                    );
            }
        );
        return command;
    }

    private static string? ReadToken(string? file) =>
        (file is null ? Environment.GetEnvironmentVariable(TokenVariable) : TextFile.Read(file))?.Trim();

    private static async Task<int> ShowAsync(Uri address, string? token, CancellationToken cancellationToken)
    {
        try
        {
            using var client = new ManagementClient(address, token);
            using var state = await client.GetAsync(cancellationToken);
            StatusText.Write(Console.Out, state.RootElement);
            return 0;
        }
        catch (ManagementException fault)
        {
            await Console.Error.WriteLineAsync(fault.Message);
            return 1;
        }
    }

    private static async Task<int> ShowReplicasAsync(
        KubernetesClient client,
        string? @namespace,
        string selector,
        string? token,
        CancellationToken cancellationToken
    )
    {
        var replicas = await ReplicaStatus.FindAsync(client, @namespace, selector, cancellationToken);
        if (replicas.Count == 0)
        {
            await Console.Error.WriteLineAsync(
                $"no running Pod with the labels {selector} {(@namespace is null ? "in any namespace" : $"in namespace {@namespace}")}"
            );
            return 1;
        }
        var failures = 0;
        foreach (var (index, replica) in replicas.Index())
        {
            if (index > 0)
                Console.WriteLine();
            try
            {
                using var state = await replica.ReadAsync(client, token, cancellationToken);
                StatusText.Write(Console.Out, state.RootElement);
            }
            catch (Exception fault) when (fault is KubernetesException or ManagementException)
            {
                failures++;
                await Console.Error.WriteLineAsync(Explain(fault, replica));
            }
        }
        return failures > 0 ? 1 : 0;
    }

    private static string Explain(Exception fault, ReplicaStatus replica) =>
        fault is KubernetesException { Status: HttpStatusCode.Forbidden }
            ? $"{fault.Message}; grant get and create of pods/portforward in namespace {replica.Namespace}"
            : $"Pod {replica.Namespace}/{replica.Name}: {fault.Message}";
}
