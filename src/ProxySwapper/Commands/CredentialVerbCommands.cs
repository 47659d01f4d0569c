using System.CommandLine;
using System.Text.Json;
using ProxySwapper.Commands.Options;
using ProxySwapper.Commands.Output;
using ProxySwapper.Configuration;
using ProxySwapper.Configuration.Yaml;
using ProxySwapper.CredentialHelper;
using ProxySwapper.Registries;
using ProxySwapper.Registry;
using ProxySwapper.Registry.Credentials;

namespace ProxySwapper.Commands;

/// <summary>
/// <c>proxyswapper credential get|list|store|erase</c>, also run by the file name <c>docker-credential-proxyswapper</c>: the protocol of
/// Docker's credential helpers, in which errors go to standard output
/// (<see href="https://github.com/docker/docker-credential-helpers#development"/>).
/// </summary>
internal static class CredentialVerbCommands
{
    /// <summary>The file name that makes the program a credential helper: <c>"credHelpers": {"HOST": "proxyswapper"}</c>.</summary>
    public const string HelperName = "docker-credential-proxyswapper";

    private const string ConfigVariable = "PROXYSWAPPER_CREDENTIAL_CONFIG";

    /// <summary>Docker and skopeo recognise this text and continue anonymously.</summary>
    private const string NotFound = "credentials not found in native keychain";
    private const string ReadOnly =
        "proxyswapper does not store credentials: they come from `registries` in its "
        + "configuration, Docker's config.json and the clouds' identities";

    /// <summary>The user name that marks an identity token in the protocol.</summary>
    private const string TokenUser = "<token>";
    private const int MaximumInput = 64 * 1024;

    public static IEnumerable<Command> Create()
    {
        yield return Verb("get", "Prints the credential of the registry named on standard input.", GetAsync);
        yield return Verb(
            "list",
            "Prints the registries that the configuration has credentials for, with their users.",
            (options, _) => Task.FromResult(List(options))
        );
        yield return Verb("store", "Always fails: credentials are read-only.", (_, _) => Task.FromResult(Fail(ReadOnly)));
        yield return Verb("erase", "Always fails: credentials are read-only.", (_, _) => Task.FromResult(Fail(ReadOnly)));
    }

    private static string[] ExamplesOf(string verb) =>
        verb == "list"
            ? ["proxyswapper credential list --config config.yaml", $"{ConfigVariable}=config.yaml {HelperName} list"]
            :
            [
                $"echo registry.example.com | proxyswapper credential {verb} --config config.yaml",
                $"echo registry.example.com | {ConfigVariable}=config.yaml {HelperName} {verb}",
            ];

    private static ExampleCommand Verb(string name, string description, Func<ProxySwapperOptions, CancellationToken, Task<int>> run)
    {
        var config = new Option<string?>("--config")
        {
            Description = $"The configuration file, for its registries section. Default: {ConfigVariable}, else none.",
        };
        var command = new ExampleCommand(name, description, ExamplesOf(name)) { config };
        command.SetAction(
            async (arguments, cancellationToken) =>
            {
                try
                {
                    var environment = EnvironmentVariables.OfProcess();
                    var path = arguments.GetValue(config) ?? environment[ConfigVariable];
                    return await run(
                        string.IsNullOrEmpty(path) ? new ProxySwapperOptions() : ConfigurationReader.Read(path, environment),
                        cancellationToken
                    );
                }
                catch (ConfigurationException fault)
                {
                    Fail(string.Join('\n', fault.Faults));
                    return ConfigurationFaults.ExitCode;
                }
                catch (RegistryCredentialException fault)
                {
                    return Fail(fault.Message);
                }
            }
        );
        return command;
    }

    private static async Task<int> GetAsync(ProxySwapperOptions options, CancellationToken cancellationToken)
    {
        var input = new char[MaximumInput];
        var server = new string(input, 0, await Console.In.ReadBlockAsync(input, cancellationToken)).Trim();
        if (!CredentialServerAddress.TryParse(server, out var image))
            return Fail("standard input must be a registry host, such as registry.example.com:5000");
        using var loggers = CommandLogging.Create(isDebug: false);
        using var access = RegistryServices.Create(options.Registries, EnvironmentVariables.OfProcess(), TimeProvider.System, loggers);
        if (await access.Credentials.GetAsync(image, cancellationToken) is not { IsAnonymous: false } credential)
            return Fail(NotFound);
        Print(json => CredentialJson.Write(json, server, credential, TokenUser));
        return 0;
    }

    private static int List(ProxySwapperOptions options)
    {
        var environment = EnvironmentVariables.OfProcess();
        Print(json =>
        {
            json.WriteStartObject();
            foreach (var entry in options.Registries)
                if (UserOf(entry, environment) is { } user)
                    json.WriteString(entry.Host.Text, user);
            json.WriteEndObject();
        });
        return 0;
    }

    /// <summary>The user name for the host, if it is known without a request.</summary>
    private static string? UserOf(RegistryEntryOptions entry, EnvironmentVariables environment) =>
        entry.Auth switch
        {
            RegistryAuth.Basic => ConfiguredCredentialSource.UserOf(entry, environment),
            RegistryAuth.Ecr => "AWS",
            RegistryAuth.Google => "oauth2accesstoken",
            RegistryAuth.Azure => TokenUser,
            _ => null,
        };

    private static void Print(Action<Utf8JsonWriter> write)
    {
        using var output = Console.OpenStandardOutput();
        using (var json = new Utf8JsonWriter(output))
            write(json);
        output.WriteByte((byte)'\n');
    }

    private static int Fail(string reason)
    {
        Console.WriteLine(reason);
        return 1;
    }
}
