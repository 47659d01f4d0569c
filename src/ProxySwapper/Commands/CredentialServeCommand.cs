using System.CommandLine;
using System.Net.Sockets;
using ProxySwapper.Commands.Options;
using ProxySwapper.Commands.Output;
using ProxySwapper.Configuration;
using ProxySwapper.Configuration.Yaml;
using ProxySwapper.CredentialHelper;
using ProxySwapper.Management;
using ProxySwapper.Registries;
using ProxySwapper.Registry;

namespace ProxySwapper.Commands;

/// <summary><c>proxyswapper credential serve</c>: the sidecar of a registry cache.</summary>
internal static class CredentialServeCommand
{
    public static Command Create()
    {
        var config = new Option<string>("--config")
        {
            Description = "The configuration file, for its registries section.",
            Required = true,
        };
        var port = IntegerOption.Create("--port", "The port on the loopback address.", 1, 65535, 5002);
        var command = new ExampleCommand(
            ServeCommand.Name,
            "Serves GET /credential?host=HOST on the loopback address, for a registry cache in the same Pod.",
            "proxyswapper credential serve --config config.yaml",
            "proxyswapper credential serve --config config.yaml --port 5003"
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
        var environment = EnvironmentVariables.OfProcess();
        var options = ConfigurationReader.Read(config, environment);
        if (options.Registries.Count == 0)
            throw new ConfigurationException([new(config, 0, 0, "registries", "must have at least one entry")]);
        if (options.ManagementPort == port)
            throw new ConfigurationException([new(config, 0, 0, "managementPort", "must differ from --port")]);
        try
        {
            using var loggers = LoggerFactory.Create(logging => logging.AddProgramLogging(options.LogLevel, options.LogFormat));
            using var access = RegistryServices.Create(options.Registries, environment, TimeProvider.System, loggers);
            await using var app = CredentialSidecar.Create(options, port, access.Credentials, loggers);
            await app.RunAsync();
            return 0;
        }
        catch (Exception exception) when (exception is IOException or SocketException)
        {
            await Console.Error.WriteLineAsync(ListenFailure.Message(exception, port, options.ManagementPort));
            return 1;
        }
    }
}
