using System.CommandLine;
using System.CommandLine.Parsing;
using ProxySwapper.Kubernetes;
using ProxySwapper.Switching;

namespace ProxySwapper.Commands.Options;

/// <summary>The options that <c>disable</c> and <c>enable</c> share: which webhook, and where its configuration is stored.</summary>
internal sealed class RemovedWebhookOptions
{
    private readonly Option<string?> _configMap = new("--config-map")
    {
        Description = "The ConfigMap that stores the configuration, NAMESPACE/NAME. Default: the release's own.",
    };

    private readonly Option<string?> _file = new("--file")
    {
        Description = "A file that stores the configuration instead of a ConfigMap. Default: none.",
    };

    public Option<string> Name { get; } =
        new("--name")
        {
            Description = "The name of the MutatingWebhookConfiguration, or of the policy's binding.",
            DefaultValueFactory = _ => WebhookSwitch.DefaultName,
        };

    public void AddTo(Command command)
    {
        command.Add(Name);
        command.Add(_configMap);
        command.Add(_file);
        _configMap.Validators.Add(result =>
        {
            if (result.Tokens is not [var token] || token.Value.Split('/') is not [{ Length: > 0 }, { Length: > 0 }])
                result.AddError("--config-map must be NAMESPACE/NAME");
        });
        command.Validators.Add(result =>
        {
            if (result.GetResult(_configMap) is not null && result.GetResult(_file) is not null)
                result.AddError("--config-map and --file cannot be combined");
        });
    }

    public bool IsGiven(CommandResult result) => result.GetResult(_configMap) is not null || result.GetResult(_file) is not null;

    /// <summary>The store that was named, or null.</summary>
    public IRemovedWebhookStore? StoreOf(ParseResult arguments, KubernetesClient client) =>
        arguments.GetValue(_file) is { } file ? new FileStore(file)
        : arguments.GetValue(_configMap) is { } place ? ConfigMapStore.Parse(client, place)
        : null;
}
