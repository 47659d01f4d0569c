using System.CommandLine;
using ProxySwapper.Commands.Output;
using ProxySwapper.Kubernetes;
using ProxySwapper.Kubernetes.Connection;
using ProxySwapper.Registry;
using ProxySwapper.Switching;

namespace ProxySwapper.Commands.Options;

/// <summary>The options of commands that call the API server, and the handling of their failures.</summary>
internal sealed class KubernetesOptions
{
    private readonly Option<string?> _kubeconfig = new("--kubeconfig")
    {
        Description = "The kubeconfig file. Default: KUBECONFIG, then the Pod's service account, then ~/.kube/config.",
    };
    private readonly Option<string?> _context = new("--context") { Description = "The kubeconfig context. Default: the current one." };

    public void AddTo(Command command)
    {
        command.Add(_kubeconfig);
        command.Add(_context);
    }

    /// <summary>
    /// Runs a command with a client. Failures are reported in one line with exit code 1; without a usable kubeconfig the exit code is 2.
    /// </summary>
    public async Task<int> RunAsync(ParseResult arguments, Func<KubernetesClient, Task<int>> command)
    {
        try
        {
            return await ConfigurationFaults.ReportAsync(async () =>
            {
                var connection = KubernetesConnection.Find(
                    arguments.GetValue(_kubeconfig),
                    arguments.GetValue(_context),
                    EnvironmentVariables.OfProcess(),
                    TimeProvider.System
                );
                using var client = new KubernetesClient(connection, TimeProvider.System);
                return await command(client);
            });
        }
        catch (Exception fault) when (fault is KubernetesException or WebhookSwitchException)
        {
            await Console.Error.WriteLineAsync(fault.Message);
            return 1;
        }
    }
}
