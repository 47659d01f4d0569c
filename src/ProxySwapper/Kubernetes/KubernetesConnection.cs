namespace ProxySwapper.Kubernetes;

/// <summary>How one API server is reached and opened.</summary>
/// <param name="Server">Its address; a path in it is kept, as some proxies of clusters need.</param>
/// <param name="Credentials">What opens it.</param>
internal sealed record KubernetesConnection(Uri Server, IKubernetesCredentialSource Credentials)
{
    /// <summary>The namespace that is meant when none is named.</summary>
    public string Namespace { get; init; } = "default";

    /// <summary>The authorities that may sign the server's certificate; null means the system's.</summary>
    public PemSource? CertificateAuthorities { get; init; }

    public bool InsecureSkipTlsVerify { get; init; }

    /// <summary>The name that the server's certificate must have, when it is not that of the address.</summary>
    public string? TlsServerName { get; init; }

    /// <summary>The proxy on the way, or null.</summary>
    public Uri? Proxy { get; init; }

    /// <summary>
    /// Whether HTTPS_PROXY counts when <see cref="Proxy"/> is null. Not in the cluster: the server has a cluster address there, and
    /// .NET does not understand the address ranges that NO_PROXY names it with.
    /// </summary>
    public bool UsesEnvironmentProxy { get; init; } = true;

    /// <summary>The headers of impersonation, empty as a rule.</summary>
    public IReadOnlyList<KeyValuePair<string, string>> Impersonation { get; init; } = [];

    /// <summary>
    /// The connection that this process is meant to use: an explicit kubeconfig file, else the files of <c>KUBECONFIG</c>, else the
    /// Pod's own account, else <c>~/.kube/config</c>.
    /// </summary>
    /// <param name="kubeconfig">A file that was named on the command line, or null.</param>
    /// <param name="context">A context of the kubeconfig, or null for its current one.</param>
    /// <param name="environment">Reads a variable of the environment.</param>
    /// <param name="time">The clock that ages what is read.</param>
    /// <exception cref="KubernetesConnectionException">There is none, or it cannot be read.</exception>
    public static KubernetesConnection Find(string? kubeconfig, string? context, Func<string, string?> environment, TimeProvider time)
    {
        if (kubeconfig is not null)
            return new KubeconfigReader(time).Read([kubeconfig], context);
        if (environment("KUBECONFIG") is { Length: > 0 } list)
            return new KubeconfigReader(time).Read(list.Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries), context);
        if (InClusterConnection.Find(environment, time) is { } inCluster)
            return inCluster;
        var file = Path.Combine(environment("HOME") ?? environment("USERPROFILE") ?? "", ".kube", "config");
        return File.Exists(file)
            ? new KubeconfigReader(time).Read([file], context)
            : throw new KubernetesConnectionException(
                "No Kubernetes API server: KUBECONFIG is not set, this is not a Pod with a service account token, "
                    + $"and {file} does not exist."
            );
    }
}
