using System.Text.Json.Nodes;

namespace ProxySwapper.Kubernetes;

/// <summary>The section <c>exec</c> of a kubeconfig's user.</summary>
/// <param name="ApiVersion"><c>client.authentication.k8s.io/v1</c> or <c>v1beta1</c>.</param>
/// <param name="Command">The program, with its path if the file contains one.</param>
/// <param name="Arguments">Its arguments.</param>
/// <param name="Environment">Environment variables added to ours.</param>
internal sealed record ExecPlugin(
    string ApiVersion,
    string Command,
    IReadOnlyList<string> Arguments,
    IReadOnlyList<KeyValuePair<string, string>> Environment
)
{
    /// <summary>The cluster information for the plugin, or null if it does not want any.</summary>
    public JsonObject? Cluster { get; init; }

    /// <summary>The kubeconfig's hint on installing the program, or null.</summary>
    public string? InstallHint { get; init; }
}
