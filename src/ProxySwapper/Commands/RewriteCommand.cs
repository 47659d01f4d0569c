using System.CommandLine;
using System.CommandLine.Parsing;
using System.Text.Json;
using ProxySwapper.Admission;
using ProxySwapper.Commands.Options;
using ProxySwapper.Commands.Output;
using ProxySwapper.Configuration;
using ProxySwapper.Manifests;
using ProxySwapper.Registry;
using ProxySwapper.Rules;

namespace ProxySwapper.Commands;

/// <summary><c>proxyswapper rewrite</c>: how images, or the Pods of manifests, would be rewritten, without a cluster.</summary>
internal static class RewriteCommand
{
    private const string Text = "text";
    private const string Json = "json";
    private const int MaximumListed = 20;

    public static Command Create()
    {
        var config = new Option<string?>("--config")
        {
            Description = "The configuration file. Default: the environment only (PROXY_URL, PROXYSWAPPER_…).",
        };
        var @namespace = new Option<string>("--namespace", "-n")
        {
            Description = "The namespace of the images, and of manifests without one.",
            DefaultValueFactory = _ => "default",
        };
        var output = new Option<string>("--output", "-o")
        {
            Description = "The format: text (one line per image) or json (an array).",
            DefaultValueFactory = _ => Text,
        };
        output.AcceptOnly(Text, Json);
        var files = new Option<string[]>("--filename", "-f")
        {
            Description = "Reads manifests, YAML or JSON; - is standard input. Default: the IMAGE arguments.",
            DefaultValueFactory = _ => [],
        };
        var images = new Argument<string[]>("IMAGE") { Description = "The images to rewrite.", Arity = ArgumentArity.ZeroOrMore };
        var command = new ExampleCommand(
            "rewrite",
            "Shows how images, or all Pod templates in manifests, would be rewritten.",
            "proxyswapper rewrite --config config.yaml nginx quay.io/coreos/etcd:v3.5.0",
            "helm template . | proxyswapper rewrite --config config.yaml -f -"
        )
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
                result.AddError("IMAGE arguments or -f FILE are required");
        });
        command.SetAction(
            (arguments, _) =>
                ConfigurationFaults.ReportAsync(() =>
                {
                    if (UnknownOption(arguments) is { } unknown)
                        return Task.FromResult(UsageErrors.Report(arguments, UsageErrors.UnknownOption(unknown)));
                    var rules = RuleSet.Compile(ConfigurationReader.Read(arguments.GetValue(config), EnvironmentVariables.OfProcess()));
                    var place = arguments.GetValue(@namespace)!;
                    var manifests = arguments
                        .GetValue(files)!
                        .Select(ManifestInput.Read)
                        .Select(file => (file.Name, WorkloadReader.Read(file.Name, file.Text, place)))
                        .ToList();
                    var subjects = arguments
                        .GetValue(images)!
                        .Select(image => new ManifestImage(image, place))
                        .Concat(manifests.SelectMany(manifest => manifest.Item2.Images));
                    var decisions = subjects.Select(subject => Decide(rules, subject)).ToList();
                    var isComplete = true;
                    foreach (var (file, found) in manifests)
                        isComplete &= ReportUnread(file, found);
                    if (arguments.GetValue(output) == Json)
                        WriteJson(decisions);
                    else
                        foreach (var decision in decisions)
                            Console.WriteLine(LineOf(decision));
                    return Task.FromResult(!isComplete || decisions.Any(decision => decision.Warning is not null) ? 1 : 0);
                })
        );
        return command;
    }

    /// <summary>An argument before <c>--</c> that looks like an option; after <c>--</c> everything is an image.</summary>
    private static string? UnknownOption(ParseResult arguments) =>
        arguments
            .Tokens.TakeWhile(token => token.Type != TokenType.DoubleDash)
            .FirstOrDefault(token => token is { Type: TokenType.Argument, Value: ['-', _, ..] })
            ?.Value;

    /// <summary>Reports manifests without images, and what may name images but is not read, so that nothing is lost silently.</summary>
    /// <returns>False if images may be missing.</returns>
    private static bool ReportUnread(string file, ManifestImages found)
    {
        if (found.Skipped.Count > 0)
            Console.Error.WriteLine($"{file}: no images in {Listed(found.Skipped)}");
        if (found.Unread.Count > 0)
            Console.Error.WriteLine($"{file}: not read: {Listed(found.Unread)}");
        if (found.Images.Count == 0)
            Console.Error.WriteLine($"{file}: no images found");
        return found.Images.Count > 0 && found.Unread.Count == 0;
    }

    private static string Listed(IReadOnlyList<string> names) =>
        string.Join(", ", names.Take(MaximumListed)) + (names.Count > MaximumListed ? $" and {names.Count - MaximumListed} more" : "");

    private static ImageDecision Decide(RuleSet rules, ManifestImage subject) =>
        subject.IsOptedOut
            ? new(subject.Image, DecisionReason.OptedOut, null, null, null, null)
            : rules.Evaluate(subject.Image, subject.Namespace);

    private static string LineOf(ImageDecision decision) =>
        decision.Target is { } target
            ? $"{decision.Image} -> {target}"
            : $"{UserInfo.Hide(decision.Image)} (unchanged: {ReasonOf(decision)})";

    private static string ReasonOf(ImageDecision decision) =>
        decision.Reason switch
        {
            DecisionReason.NoRule => "no rule matches",
            DecisionReason.AlreadyAtTarget => $"already at the target of {decision.Rule}",
            DecisionReason.IgnoredImage => "ignored by ignoreImages or placeholderImages",
            DecisionReason.OptedOut => $"its Pod has the label {WellKnownLabels.OptOutLabel}",
            DecisionReason.IgnoredNamespace => "namespace ignored by ignoreNamespaces",
            _ => decision.Fault ?? decision.Warning ?? NameOf(decision.Reason),
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
