using System.CommandLine;
using ProxySwapper.Configuration;
using ProxySwapper.Configuration.Yaml;
using ProxySwapper.CredentialHelper;
using ProxySwapper.Management;
using ProxySwapper.Registries;

namespace ProxySwapper.Commands;

/// <summary><c>proxyswapper credential serve</c>: the sidecar of a registry cache.</summary>
internal static class CredentialServeCommand
{
    public static Command Create()
    {
        var config = new Option<string>("--config")
        {
            Description = "The configuration file; its `registries` are the ones that are answered for.",
            Required = true,
        };
        var port = new Option<int>("--port") { Description = "The port of the loopback address.", DefaultValueFactory = _ => 5002 };
        port.Validators.Add(result =>
        {
            if (result.GetValueOrDefault<int>() is < 1 or > 65535)
                result.AddError("--port must be from 1 to 65535.");
        });
        var command = new Command(
            ServeCommand.Name,
            "Answers GET /credential?host=HOST on the loopback address, for a registry cache in the same Pod."
        )
        {
            config,
            port,
        };
        command.SetAction(
            (arguments, _) => ConfigurationFaults.ReportAsync(() => RunAsync(arguments.GetValue(config)!, arguments.GetValue(port)))
        );
        return command;
    }

    private static async Task<int> RunAsync(string config, int port)
    {
        var options = ConfigurationReader.Read(config, ConfigurationReader.ProcessEnvironment());
        if (options.Registries.Count == 0)
            throw new ConfigurationException([new(config, 0, 0, "registries", "is empty: there is nothing to give credentials for")]);
        if (options.ManagementPort == port)
            throw new ConfigurationException([new(config, 0, 0, "managementPort", "is the port of --port, which needs its own")]);
        try
        {
            await using var app = CredentialSidecar.Create(
                options,
                port,
                provider => provider.GetRequiredService<RegistryServices>().Credentials,
                logging => logging.AddProgramLogging(options.LogLevel, isPerson: !Console.IsOutputRedirected)
            );
            await app.RunAsync();
            return 0;
        }
        catch (IOException exception)
        {
            // For instance an address that is in use.
            await Console.Error.WriteLineAsync(exception.Message);
            return 1;
        }
    }
}
