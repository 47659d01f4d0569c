using System.Text.Json.Nodes;

namespace ProxySwapper.Kubernetes;

/// <summary>The section <c>exec</c> of a kubeconfig's user.</summary>
/// <param name="ApiVersion"><c>client.authentication.k8s.io/v1</c> or <c>v1beta1</c>.</param>
/// <param name="Command">The program, with its path when the file names one.</param>
/// <param name="Arguments">Its arguments.</param>
/// <param name="Environment">Variables that it gets besides ours.</param>
internal sealed record ExecPlugin(
    string ApiVersion,
    string Command,
    IReadOnlyList<string> Arguments,
    IReadOnlyList<KeyValuePair<string, string>> Environment
)
{
    /// <summary>The cluster as the plugin wants to be told it, or null when it does not.</summary>
    public JsonObject? Cluster { get; init; }

    /// <summary>How to get the program, in the words of the kubeconfig, or null.</summary>
    public string? InstallHint { get; init; }
}
