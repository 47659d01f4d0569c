using System.CommandLine;
using System.Text.Json;
using ProxySwapper.AdmissionPolicies;
using ProxySwapper.Commands.Options;
using ProxySwapper.Commands.Output;
using ProxySwapper.Configuration;
using ProxySwapper.Configuration.Yaml;
using ProxySwapper.Mirroring;
using YamlDotNet.RepresentationModel;

namespace ProxySwapper.Commands;

/// <summary><c>proxyswapper validate</c>: checks files before they are used.</summary>
internal static class ValidateCommand
{
    private const string Auto = "auto";
    private const string Configuration = "config";
    private const string Mirror = "mirror";
    private const string Values = "values";

    /// <summary>Keys that only the chart's values have.</summary>
    private static readonly string[] ValuesKeys = ["config", "image", "webhook", "mirror", "registryCache", "certificates", "monitoring"];

    public static Command Create()
    {
        var files = new Argument<string[]>("FILE") { Description = "The YAML files to check.", Arity = ArgumentArity.OneOrMore };
        var kind = new Option<string>("--kind")
        {
            Description = "The kind of file: config, mirror, values (of the chart), or auto, which decides by the keys.",
            DefaultValueFactory = _ => Auto,
        };
        kind.AcceptOnlyFromAmong(Auto, Configuration, Mirror, Values);
        var command = new ExampleCommand(
            "validate",
            "Checks configurations, mirror files and chart values, and prints every mistake with its line.",
            "proxyswapper validate config.yaml mirror.yaml",
            "helm get values proxyswapper -o yaml > values.yaml && proxyswapper validate --kind values values.yaml"
        )
        {
            files,
            kind,
        };
        command.SetAction(
            async (arguments, _) =>
            {
                var exitCode = 0;
                foreach (var file in arguments.GetValue(files)!)
                    exitCode = Math.Max(
                        exitCode,
                        await ConfigurationFaults.ReportAsync(() =>
                        {
                            Console.WriteLine($"{file}: valid {Validate(file, arguments.GetValue(kind)!)}");
                            return Task.FromResult(0);
                        })
                    );
                return exitCode;
            }
        );
        return command;
    }

    /// <returns>The kind of file, as text.</returns>
    /// <exception cref="ConfigurationException">It is not valid.</exception>
    private static string Validate(string file, string kind)
    {
        var text = ConfigurationReader.TextOf(file);
        switch (kind == Auto ? KindOf(file, text) : kind)
        {
            case Mirror:
                MirrorFileReader.Read(file);
                return "mirror file";
            case Values:
                ValidateValues(file, text);
                return "chart values";
            default:
                var noEnvironment = new Dictionary<string, string>();
                // serve does not start either with a policy that cannot express the rules.
                new ServedPolicy().Apply(file, text, noEnvironment, ConfigurationReader.ReadText(file, text, noEnvironment));
                return "configuration";
        }
    }

    private static string KindOf(string file, string text)
    {
        var keys = Parse(file, text).Children.Keys.OfType<YamlScalarNode>().Select(key => key.Value ?? "").ToList();
        return keys.Contains("images") ? Mirror
            : keys.Exists(ValuesKeys.Contains) ? Values
            : Configuration;
    }

    private static void ValidateValues(string file, string text)
    {
        var faults = new List<ConfigurationFault>();
        using var schema = JsonDocument.Parse(typeof(ValidateCommand).Assembly.GetManifestResourceStream("values.schema.json")!);
        new SchemaValidator(schema.RootElement, new YamlSource(file, faults)).Validate(Parse(file, text));
        if (faults.Count > 0)
            throw new ConfigurationException(faults);
    }

    private static YamlMappingNode Parse(string file, string text)
    {
        var faults = new List<ConfigurationFault>();
        return YamlDocumentReader.ReadMapping(file, text, faults) ?? throw new ConfigurationException(faults);
    }
}
