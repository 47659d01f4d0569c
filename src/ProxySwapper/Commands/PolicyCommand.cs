using System.CommandLine;
using System.Text.Json;
using System.Text.Json.Nodes;
using ProxySwapper.AdmissionPolicies;
using ProxySwapper.Configuration;
using ProxySwapper.Configuration.Yaml;
using ProxySwapper.Switching;

namespace ProxySwapper.Commands;

/// <summary><c>proxyswapper policy</c>: the rules as CEL that the API server runs itself, without a webhook.</summary>
internal static class PolicyCommand
{
    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true };

    public static Command Create()
    {
        var config = new Option<string?>("--config")
        {
            Description = "The configuration file; without it, the environment alone (PROXY_URL).",
        };
        var apiVersion = new Option<string>("--api-version")
        {
            Description = "v1 is served from Kubernetes 1.36, v1beta1 from 1.34, v1alpha1 from 1.32.",
            DefaultValueFactory = _ => "v1",
        };
        apiVersion.AcceptOnlyFromAmong("v1", "v1beta1", "v1alpha1");
        var name = new Option<string>("--name")
        {
            Description = "Name of the policy and of its binding.",
            DefaultValueFactory = _ => WebhookSwitch.DefaultName,
        };
        var podUpdates = new Option<bool>("--pod-updates")
        {
            Description = "Also looks at changes of a Pod's images. Deployments and the like make new Pods and need it not.",
        };
        var partial = new Option<bool>("--partial")
        {
            Description = "Leaves out what CEL cannot say, and lists it on standard error, instead of refusing it.",
        };
        var output = new Option<PolicyOutput>("--output", "-o") { Description = "yaml, or json: a List." };
        var command = new Command(
            "policy",
            "Prints the rules as a MutatingAdmissionPolicy and its binding, which swap images without the webhook."
        )
        {
            config,
            apiVersion,
            name,
            podUpdates,
            partial,
            output,
        };
        command.SetAction(
            (arguments, _) =>
                ConfigurationFaults.ReportAsync(async () =>
                {
                    var compiled = Compile(arguments.GetValue(config), out var faults);
                    if (faults.Count > 0 && !arguments.GetValue(partial))
                        throw new ConfigurationException(faults);
                    foreach (var fault in faults)
                        await Console.Error.WriteLineAsync($"left out: {fault}");
                    var objects = new PolicyObjects(arguments.GetValue(name)!, arguments.GetValue(apiVersion)!);
                    Write(arguments.GetValue(output), [objects.PolicyOf(compiled.Policy), objects.Binding(arguments.GetValue(podUpdates))]);
                    return 0;
                })
        );
        return command;
    }

    private static CompiledPolicy Compile(string? config, out IReadOnlyList<ConfigurationFault> faults)
    {
        var environment = ConfigurationReader.ProcessEnvironment();
        var (file, text) = config is null ? ("(no file)", "") : (config, ConfigurationReader.TextOf(config));
        var locations = ConfigurationLocations.Of(file, text, environment);
        var compiled = PolicyCompiler.Compile(ConfigurationReader.ReadText(file, text, environment), locations);
        faults = [.. compiled.Refusals.Select(refusal => locations.FaultOf(refusal.Key, refusal.Reason))];
        return compiled;
    }

    private static void Write(PolicyOutput output, IReadOnlyList<JsonObject> objects)
    {
        if (output == PolicyOutput.Yaml)
        {
            PolicyYaml.Write(Console.Out, objects);
            return;
        }
        var list = new JsonObject
        {
            ["apiVersion"] = "v1",
            ["kind"] = "List",
            ["items"] = new JsonArray([.. objects]),
        };
        Console.Out.Write(list.ToJsonString(Indented) + "\n");
    }
}

internal enum PolicyOutput
{
    Yaml,
    Json,
}
