using System.CommandLine;
using System.Text.Json;
using ProxySwapper.Configuration;
using ProxySwapper.Configuration.Yaml;
using ProxySwapper.CredentialHelper;
using ProxySwapper.Registries;
using ProxySwapper.Registry.Credentials;

namespace ProxySwapper.Commands;

/// <summary>
/// <c>proxyswapper credential get|list|store|erase</c>, also by the file name <c>docker-credential-proxyswapper</c>: the protocol of
/// Docker's credential helpers, in which errors are told on standard output
/// (<see href="https://github.com/docker/docker-credential-helpers#development"/>).
/// </summary>
internal static class CredentialVerbCommands
{
    /// <summary>The name under which the program is a credential helper: <c>"credHelpers": {"HOST": "proxyswapper"}</c>.</summary>
    public const string HelperName = "docker-credential-proxyswapper";

    private const string ConfigVariable = "PROXYSWAPPER_CREDENTIAL_CONFIG";

    /// <summary>By these words Docker and skopeo know that there is nothing, and go on as anonymous.</summary>
    private const string NotFound = "credentials not found in native keychain";
    private const string ReadOnly =
        "proxyswapper keeps no credentials: they come from `registries` of its "
        + "configuration, Docker's config.json and the clouds' identities";

    /// <summary>The user by which the protocol marks an identity token.</summary>
    private const string TokenUser = "<token>";
    private const int MaximumInput = 64 * 1024;

    public static IEnumerable<Command> Create()
    {
        yield return Verb("get", "Prints the credential of the registry that stands on standard input.", GetAsync);
        yield return Verb(
            "list",
            "Prints the hosts that the configuration opens, with their users.",
            (options, _) => Task.FromResult(List(options))
        );
        yield return Verb("store", "Refuses: credentials are only given.", (_, _) => Task.FromResult(Fail(ReadOnly)));
        yield return Verb("erase", "Refuses: credentials are only given.", (_, _) => Task.FromResult(Fail(ReadOnly)));
    }

    private static Command Verb(string name, string description, Func<ProxySwapperOptions, CancellationToken, Task<int>> run)
    {
        var config = new Option<string?>("--config")
        {
            Description = $"A configuration file; its registries say how hosts are opened. Also by {ConfigVariable}.",
        };
        var command = new Command(name, description) { config };
        command.SetAction(
            async (arguments, cancellationToken) =>
            {
                try
                {
                    var path = arguments.GetValue(config) ?? Environment.GetEnvironmentVariable(ConfigVariable);
                    return await run(
                        string.IsNullOrEmpty(path)
                            ? new ProxySwapperOptions()
                            : ConfigurationReader.Read(path, ConfigurationReader.ProcessEnvironment()),
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
            return Fail("standard input must be a registry, such as registry.example.com:5000");
        using var loggers = CommandLogging.Create(isDebug: false);
        using var access = RegistryServices.Create(options.Registries, TimeProvider.System, loggers);
        if (await access.Credentials.GetAsync(image, cancellationToken) is not { IsAnonymous: false } credential)
            return Fail(NotFound);
        Print(json => CredentialJson.Write(json, server, credential, TokenUser));
        return 0;
    }

    private static int List(ProxySwapperOptions options)
    {
        Print(json =>
        {
            json.WriteStartObject();
            foreach (var entry in options.Registries)
                if (UserOf(entry) is { } user)
                    json.WriteString(entry.Host, user);
            json.WriteEndObject();
        });
        return 0;
    }

    /// <summary>The user that the host will be shown, as far as that is known without asking anybody.</summary>
    private static string? UserOf(RegistryEntryOptions entry) =>
        entry.Auth switch
        {
            RegistryAuth.Basic => ConfiguredCredentialSource.UserOf(entry, Environment.GetEnvironmentVariable),
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
