using System.CommandLine;
using ProxySwapper.Checks;
using ProxySwapper.Commands.Options;
using ProxySwapper.Commands.Output;
using ProxySwapper.Configuration;
using ProxySwapper.Configuration.Yaml;

namespace ProxySwapper.Commands;

/// <summary><c>proxyswapper validate</c>: checks files before they are used.</summary>
internal static class ValidateCommand
{
    private const string Auto = "auto";

    private static readonly Dictionary<string, FileKind> Kinds = new()
    {
        ["config"] = FileKind.Configuration,
        ["mirror"] = FileKind.MirrorFile,
        ["values"] = FileKind.ChartValues,
    };

    public static Command Create()
    {
        var files = new Argument<string[]>("FILE") { Description = "The YAML files to check.", Arity = ArgumentArity.OneOrMore };
        var kind = new Option<string>("--kind")
        {
            Description = "The kind of file: config, mirror, values (of the chart), or auto, which decides by the keys.",
            DefaultValueFactory = _ => Auto,
        };
        kind.AcceptOnly([Auto, .. Kinds.Keys]);
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
                        await ConfigurationFaults.ReportAsync(() => ValidateAsync(file, arguments.GetValue(kind)!))
                    );
                return exitCode;
            }
        );
        return command;
    }

    private static async Task<int> ValidateAsync(string file, string kind)
    {
        var result = FileValidation.Create(file, ConfigurationReader.TextOf(file), kind == Auto ? null : Kinds[kind]);
        var kinds = string.Join(" and ", result.Kinds.Select(NameOf));
        if (result.Faults.Count == 0)
        {
            Console.WriteLine($"{file}: valid {kinds}");
            return 0;
        }
        if (kind == Auto)
            await Console.Error.WriteLineAsync($"{file}: checked as {kinds}, decided by its keys; --kind sets the kind");
        throw new ConfigurationException(result.Faults);
    }

    private static string NameOf(FileKind kind) =>
        kind switch
        {
            FileKind.MirrorFile => "mirror file",
            FileKind.ChartValues => "chart values",
            _ => "configuration",
        };
}
