using System.CommandLine;
using System.Text.Json;
using System.Text.Json.Nodes;
using ProxySwapper.AdmissionPolicies;
using ProxySwapper.Commands.Options;
using ProxySwapper.Commands.Output;
using ProxySwapper.Configuration;
using ProxySwapper.Configuration.Yaml;
using ProxySwapper.Patterns;
using ProxySwapper.Registry;
using ProxySwapper.Switching;

namespace ProxySwapper.Commands;

/// <summary><c>proxyswapper policy</c>: the rules as CEL that the API server evaluates itself, without a webhook.</summary>
internal static class PolicyCommand
{
    private const string Yaml = "yaml";
    private const string Json = "json";

    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true };

    public static Command Create()
    {
        var config = new Option<string?>("--config")
        {
            Description = "The configuration file. Default: the environment only (PROXY_URL, PROXYSWAPPER_…).",
        };
        var apiVersion = new Option<string>("--api-version")
        {
            Description = "The API version: v1 (Kubernetes 1.36 or later), v1beta1 (1.34) or v1alpha1 (1.33).",
            DefaultValueFactory = _ => "v1",
        };
        apiVersion.AcceptOnly("v1", "v1beta1", "v1alpha1");
        var name = new Option<string>("--name")
        {
            Description = "The name of the policy and of its binding.",
            DefaultValueFactory = _ => WebhookSwitch.DefaultName,
        };
        name.Validators.Add(result =>
        {
            if (!ObjectName.IsValid(result.GetValueOrDefault<string>() ?? ""))
                result.AddError($"--name must be an object's name: {ObjectName.Rule}");
        });
        var podUpdates = new Option<bool>("--pod-updates")
        {
            Description =
                "Also rewrites images when a Pod is updated. Not needed for Deployments and other controllers, which create new Pods.",
        };
        var partial = new Option<bool>("--partial")
        {
            Description = "Leaves out what CEL cannot express and lists it on standard error, instead of failing.",
        };
        var output = new Option<string>("--output", "-o")
        {
            Description = "The format: yaml, or json (a List).",
            DefaultValueFactory = _ => Yaml,
        };
        output.AcceptOnly(Yaml, Json);
        var command = new ExampleCommand(
            "policy",
            "Prints the rules as a MutatingAdmissionPolicy with its binding, which rewrites images without the webhook.",
            "proxyswapper policy --config config.yaml | kubectl apply -f -",
            "proxyswapper policy --config config.yaml --api-version v1beta1 --partial -o json"
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
                    var (compiled, locations) = Compile(arguments.GetValue(config));
                    // What no policy can leave out is an error in any case.
                    var errors = compiled
                        .Rejections.Where(rejection => rejection.WithoutIt is null || !arguments.GetValue(partial))
                        .ToList();
                    if (errors.Count > 0)
                        throw new ConfigurationException([
                            .. errors.Select(rejection => locations.CreateFault(rejection.Key, rejection.Reason)),
                        ]);
                    foreach (var (key, reason, withoutIt) in compiled.Rejections)
                        await Console.Error.WriteLineAsync(
                            $"not expressible in CEL, left out, so {withoutIt}: {locations.CreateFault(key, reason)}"
                        );
                    var objects = new PolicyObjects(arguments.GetValue(name)!, arguments.GetValue(apiVersion)!);
                    Write(
                        arguments.GetValue(output)!,
                        [objects.PolicyOf(compiled.Policy), objects.Binding(arguments.GetValue(podUpdates))]
                    );
                    return 0;
                })
        );
        return command;
    }

    private static (CompiledPolicy, ConfigurationLocations) Compile(string? config)
    {
        var environment = EnvironmentVariables.OfProcess();
        var (file, text) = config is null ? ("(no file)", "") : (config, ConfigurationReader.TextOf(config));
        var locations = ConfigurationLocations.Of(file, text, environment);
        return (PolicyCompiler.Compile(ConfigurationReader.ReadText(file, text, environment), locations), locations);
    }

    private static void Write(string output, IReadOnlyList<JsonObject> objects)
    {
        if (output == Yaml)
        {
            YamlWriter.Write(Console.Out, objects);
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
