using ProxySwapper.Registry;

namespace ProxySwapper.Kubernetes.Connection;

/// <summary>How to connect and authenticate to an API server.</summary>
/// <param name="Server">Its address; its path is kept, which some cluster proxies need.</param>
/// <param name="Credentials">The source of credentials.</param>
internal sealed record KubernetesConnection(Uri Server, IKubernetesCredentialSource Credentials)
{
    /// <summary>The default namespace.</summary>
    public string Namespace { get; init; } = "default";

    /// <summary>The authorities trusted to sign the server's certificate; null for the system's.</summary>
    public PemSource? CertificateAuthorities { get; init; }

    public bool InsecureSkipTlsVerify { get; init; }

    /// <summary>The name that the server's certificate must have, if it differs from the address.</summary>
    public string? TlsServerName { get; init; }

    /// <summary>The HTTP proxy, or null.</summary>
    public Uri? Proxy { get; init; }

    /// <summary>
    /// Whether HTTPS_PROXY is used if <see cref="Proxy"/> is null. Not in a cluster: there the server has a cluster address, and .NET does
    /// not support the address ranges that NO_PROXY lists.
    /// </summary>
    public bool UsesEnvironmentProxy { get; init; } = true;

    /// <summary>The impersonation headers, usually empty.</summary>
    public IReadOnlyList<KeyValuePair<string, string>> Impersonation { get; init; } = [];

    /// <summary>
    /// Finds the connection for this process: an explicit kubeconfig file, else the files of <c>KUBECONFIG</c>, else the Pod's service
    /// account, else <c>~/.kube/config</c>.
    /// </summary>
    /// <param name="kubeconfig">A file from the command line, or null.</param>
    /// <param name="context">A context of the kubeconfig, or null for its current one.</param>
    /// <param name="environment">Names the files and the cluster.</param>
    /// <param name="time">The clock for the age of what was read.</param>
    /// <exception cref="KubernetesConnectionException">No connection was found, or it cannot be read.</exception>
    public static KubernetesConnection Find(string? kubeconfig, string? context, EnvironmentVariables environment, TimeProvider time)
    {
        if (kubeconfig is not null)
            return new KubeconfigReader(time).Read([kubeconfig], context);
        if (environment["KUBECONFIG"] is { Length: > 0 } list)
            return new KubeconfigReader(time).Read(list.Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries), context);
        if (InClusterConnection.Find(environment, time) is { } inCluster)
            return inCluster;
        var file = Path.Combine(environment["HOME"] ?? environment["USERPROFILE"] ?? "", ".kube", "config");
        return File.Exists(file)
            ? new KubeconfigReader(time).Read([file], context)
            : throw new KubernetesConnectionException(
                "No Kubernetes API server: KUBECONFIG is not set, this is not a Pod with a service account token, "
                    + $"and {file} does not exist."
            );
    }
}

/// <summary>The API server's connection is not usable: no kubeconfig, a missing context, a failing plugin.</summary>
internal sealed class KubernetesConnectionException(string message, Exception? innerException = null) : Exception(message, innerException);
