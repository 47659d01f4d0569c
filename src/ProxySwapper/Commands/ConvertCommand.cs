using System.CommandLine;
using ProxySwapper.Commands.Options;
using ProxySwapper.Commands.Output;
using ProxySwapper.Converting;
using ProxySwapper.Manifests;
using ProxySwapper.Patterns;

namespace ProxySwapper.Commands;

/// <summary><c>proxyswapper convert</c>: converts another tool's file to ours.</summary>
internal static class ConvertCommand
{
    private const string Auto = "auto";

    public static Command Create()
    {
        var file = new Argument<string>("FILE") { Description = "The file, YAML or JSON; - is standard input." };
        var from = new Option<string>("--from")
        {
            Description = "The kind of file; auto decides by its keys.",
            DefaultValueFactory = _ => Auto,
        };
        from.AcceptOnly([Auto, .. Enum.GetValues<ForeignFormat>().Select(Conversion.Name)]);
        var target = new Option<string?>("--target")
        {
            Description = "The target, a registry with an optional path, for files that do not contain it. Default: none.",
        };
        target.Validators.Add(result =>
        {
            if (result.Tokens is [var token] && TargetPrefix.Validate(token.Value) is { } fault)
                result.AddError($"--target {fault}");
        });
        var scoped = new Option<bool>("--scoped")
        {
            Description = "Like --scoped of skopeo sync: copies keep the whole path of their source.",
        };
        var command = new ExampleCommand(
            "convert",
            "Converts other tools' files to a configuration or a mirror file, and lists what has no counterpart.",
            "proxyswapper convert .k8s-image-swapper.yaml > config.yaml",
            "kubectl get clusterimagesetmirrors -o yaml | proxyswapper convert -",
            "proxyswapper convert --target registry.example.com/mirror sync.yml > mirror.yaml"
        )
        {
            file,
            from,
            target,
            scoped,
        };
        command.SetAction(
            (arguments, _) =>
                ConfigurationFaults.ReportAsync(async () =>
                {
                    var input = ManifestInput.Read(arguments.GetValue(file)!);
                    var conversion = ForeignFileConverter.Convert(
                        input.Name,
                        input.Text,
                        FormatOf(arguments.GetValue(from)!),
                        new ForeignTarget(arguments.GetValue(target), arguments.GetValue(scoped))
                    );
                    Console.Out.Write(conversion.ToYaml());
                    foreach (var fault in conversion.LeftOut)
                        await Console.Error.WriteLineAsync($"not converted: {fault}");
                    var mistakes = conversion.FindMistakes();
                    foreach (var fault in mistakes)
                        await Console.Error.WriteLineAsync($"the result is not valid yet: {fault}");
                    return conversion.LeftOut.Count + mistakes.Count > 0 ? 1 : 0;
                })
        );
        return command;
    }

    private static ForeignFormat? FormatOf(string name) =>
        name == Auto ? null : Enum.GetValues<ForeignFormat>().Single(format => Conversion.Name(format) == name);
}
