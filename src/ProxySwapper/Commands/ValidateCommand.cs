using System.CommandLine;
using System.Text.Json;
using ProxySwapper.Configuration;
using ProxySwapper.Configuration.Yaml;
using ProxySwapper.Mirroring;
using YamlDotNet.RepresentationModel;

namespace ProxySwapper.Commands;

/// <summary><c>proxyswapper validate</c>: whether files are valid, before anything uses them.</summary>
internal static class ValidateCommand
{
    private const string Auto = "auto";
    private const string Configuration = "config";
    private const string Mirror = "mirror";
    private const string Values = "values";

    /// <summary>Keys of the chart's values that neither of the other files has.</summary>
    private static readonly string[] ValuesKeys = ["config", "image", "webhook", "mirror", "registryCache", "certificates", "monitoring"];

    public static Command Create()
    {
        var files = new Argument<string[]>("FILE") { Description = "YAML files.", Arity = ArgumentArity.OneOrMore };
        var kind = new Option<string>("--kind")
        {
            Description = "What the files are: config, mirror, values of the chart, or auto, which tells by their keys.",
            DefaultValueFactory = _ => Auto,
        };
        kind.AcceptOnlyFromAmong(Auto, Configuration, Mirror, Values);
        var command = new Command("validate", "Checks configurations, mirror files and values of the chart, and prints every mistake.")
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

    /// <returns>What the file is, in words.</returns>
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
                ConfigurationReader.ReadText(file, text, new Dictionary<string, string>());
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
