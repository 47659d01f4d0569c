using ProxySwapper.Configuration.Yaml;
using ProxySwapper.Kubernetes.Connection;
using ProxySwapper.Registry;

namespace ProxySwapper.Commands.Output;

/// <summary>What every command does about an invalid configuration or kubeconfig: all faults on standard error, exit code 2.</summary>
internal static class ConfigurationFaults
{
    public const int ExitCode = 2;

    public static async Task<int> ReportAsync(Func<Task<int>> command)
    {
        try
        {
            // On another thread, since reading a file can wait for ever (a named pipe): the caller handles signals meanwhile.
            return await Task.Run(command);
        }
        catch (ConfigurationException exception)
        {
            foreach (var fault in exception.Faults)
                await Console.Error.WriteLineAsync(fault.ToString());
            return ExitCode;
        }
        catch (KubernetesConnectionException exception)
        {
            await Console.Error.WriteLineAsync(UserInfo.Hide(exception.Message));
            return ExitCode;
        }
    }
}
