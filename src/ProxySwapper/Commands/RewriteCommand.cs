using System.CommandLine;
using System.Text.Json;
using ProxySwapper.Admission;
using ProxySwapper.Configuration;
using ProxySwapper.Manifests;
using ProxySwapper.Rules;

namespace ProxySwapper.Commands;

/// <summary><c>proxyswapper rewrite</c>: what would happen to images, or to the Pods of manifests, without a cluster.</summary>
internal static class RewriteCommand
{
    private const string Input = "-";

    public static Command Create()
    {
        var config = new Option<string?>("--config")
        {
            Description = "The configuration file; without it, the environment alone (PROXY_URL).",
        };
        var @namespace = new Option<string>("--namespace", "-n")
        {
            Description = "The namespace of images, and of manifests without one.",
            DefaultValueFactory = _ => "default",
        };
        var output = new Option<RewriteOutput>("--output", "-o") { Description = "text: a line for each image. json: an array." };
        var files = new Option<string[]>("--filename", "-f")
        {
            Description = "Manifests, YAML or JSON; - is standard input.",
            DefaultValueFactory = _ => [],
        };
        var images = new Argument<string[]>("IMAGE") { Description = "Images.", Arity = ArgumentArity.ZeroOrMore };
        images.Validators.Add(result =>
        {
            foreach (var token in result.Tokens)
                if (token.Value.StartsWith('-'))
                    result.AddError($"'{token.Value}' is no option and no image.");
        });
        var command = new Command("rewrite", "Shows what would happen to images, or to every Pod template in manifests.")
        {
            config,
            @namespace,
            output,
            files,
            images,
        };
        command.Validators.Add(result =>
        {
            if (result.GetResult(images) is null or { Tokens.Count: 0 } && result.GetResult(files) is null or { Implicit: true })
                result.AddError("Give images, or manifests with -f FILE.");
        });
        command.SetAction(
            (arguments, _) =>
                ConfigurationFaults.ReportAsync(() =>
                {
                    var rules = RuleSet.Compile(
                        ConfigurationReader.Read(arguments.GetValue(config), ConfigurationReader.ProcessEnvironment())
                    );
                    var place = arguments.GetValue(@namespace)!;
                    var subjects = arguments
                        .GetValue(images)!
                        .Select(image => new ManifestImage(image, place))
                        .Concat(arguments.GetValue(files)!.SelectMany(file => WorkloadReader.Read(file, TextOf(file), place)));
                    var decisions = subjects.Select(subject => Decide(rules, subject)).ToList();
                    if (arguments.GetValue(output) == RewriteOutput.Json)
                        WriteJson(decisions);
                    else
                        foreach (var decision in decisions)
                            Console.WriteLine(LineOf(decision));
                    return Task.FromResult(decisions.Any(decision => decision.Warning is not null) ? 1 : 0);
                })
        );
        return command;
    }

    private static ImageDecision Decide(RuleSet rules, ManifestImage subject) =>
        subject.IsOptedOut
            ? new(subject.Image, DecisionReason.OptedOut, null, null, null, null)
            : rules.Evaluate(subject.Image, subject.Namespace);

    private static string TextOf(string file) => file == Input ? Console.In.ReadToEnd() : ConfigurationReader.TextOf(file);

    private static string LineOf(ImageDecision decision) =>
        decision.Target is { } target ? $"{decision.Image} -> {target}" : $"{decision.Image} (unchanged: {ReasonOf(decision)})";

    private static string ReasonOf(ImageDecision decision) =>
        decision.Reason switch
        {
            DecisionReason.NoRule => "no rule takes it",
            DecisionReason.AlreadyAtTarget => $"is at the target of {decision.Rule}",
            DecisionReason.IgnoredImage => "is in ignoreImages",
            DecisionReason.OptedOut => $"its Pod has the label {WellKnownLabels.OptOutLabel}",
            DecisionReason.IgnoredNamespace => "its namespace is in ignoreNamespaces",
            _ => decision.Warning ?? NameOf(decision.Reason),
        };

    private static void WriteJson(IReadOnlyList<ImageDecision> decisions)
    {
        using var output = Console.OpenStandardOutput();
        using (var json = new Utf8JsonWriter(output, new JsonWriterOptions { Indented = true }))
        {
            json.WriteStartArray();
            foreach (var decision in decisions)
            {
                json.WriteStartObject();
                json.WriteString("image", decision.Image);
                json.WriteString("target", (decision.Target ?? (object)decision.Image).ToString());
                json.WriteBoolean("rewritten", decision.IsRewritten);
                json.WriteString("reason", NameOf(decision.Reason));
                json.WriteString("rule", decision.Rule);
                json.WriteEndObject();
            }
            json.WriteEndArray();
        }
        output.Write("\n"u8);
    }

    private static string NameOf(DecisionReason reason) => JsonNamingPolicy.CamelCase.ConvertName(reason.ToString());
}

internal enum RewriteOutput
{
    Text,
    Json,
}
