using System.CommandLine;
using System.Net.Sockets;
using ProxySwapper.Commands.Options;
using ProxySwapper.Commands.Output;
using ProxySwapper.Configuration;
using ProxySwapper.Management;
using ProxySwapper.Registry;
using ProxySwapper.Serving;

namespace ProxySwapper.Commands;

/// <summary><c>proxyswapper serve</c>: the webhook and the populator.</summary>
internal static class ServeCommand
{
    public const string Name = "serve";

    public static Command Create()
    {
        var config = new Option<string?>("--config")
        {
            Description = "The configuration file, reloaded when it changes. Default: the environment only (PROXY_URL, PROXYSWAPPER_…).",
        };
        var command = new ExampleCommand(
            Name,
            "Runs the webhook and the populator.",
            "proxyswapper serve --config config.yaml",
            "PROXY_URL=registry.example.com proxyswapper serve"
        )
        {
            config,
        };
        command.SetAction((arguments, _) => ConfigurationFaults.ReportAsync(() => RunAsync(arguments.GetValue(config))));
        return command;
    }

    private static async Task<int> RunAsync(string? path)
    {
        var environment = EnvironmentVariables.OfProcess();
        var file = path is null ? null : new ConfigurationFile(path, ConfigurationReader.TextOf(path));
        var options = ConfigurationReader.ReadText(path ?? "(no file)", file?.Text ?? "", environment);
        try
        {
            // When the API server evaluates the rules itself, no reviews arrive.
            var certificate =
                options.AdmissionPolicy.Name is not null ? null
                : options.Certificates is { } selfSigned ? SelfSignedCertificateService.Temporary(selfSigned)
                : ServingCertificate.Load(options.TlsCertPath, options.TlsKeyPath);
            var host = ServeHost.Create(
                options,
                file,
                certificate,
                logging => logging.AddProgramLogging(options.LogLevel, options.LogFormat)
            );
            await host.RunAsync(); // and disposes of it
            return 0;
        }
        catch (CertificateException exception)
        {
            await Console.Error.WriteLineAsync(
                $"""
                {exception.Message}
                API servers call webhooks over TLS only. In a cluster, the chart issues the certificate or has cert-manager issue it
                (certificates.mode in its values). Elsewhere, set tlsCertPath and tlsKeyPath to two PEM files, for example from
                  openssl req -x509 -newkey rsa:2048 -nodes -days 30 -subj /CN=localhost \
                    -addext subjectAltName=DNS:localhost -keyout tls.key -out tls.crt
                """
            );
            return ConfigurationFaults.ExitCode;
        }
        catch (Exception exception) when (exception is IOException or SocketException)
        {
            // Such as an address in use, or a port below 1024 without permission.
            await Console.Error.WriteLineAsync(ListenFailure.Message(exception, options.Port, options.ManagementPort));
            return 1;
        }
    }
}
