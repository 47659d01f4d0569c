using ProxySwapper.Registry;

namespace ProxySwapper.Kubernetes.Connection;

/// <summary>
/// The connection of a process in a Pod
/// (<see href="https://kubernetes.io/docs/tasks/run-application/access-api-from-pod/">Accessing the Kubernetes API from a Pod</see>).
/// </summary>
internal static class InClusterConnection
{
    public const string AccountDirectory = "/var/run/secrets/kubernetes.io/serviceaccount";

    /// <summary>The Pod's connection; null outside a cluster and in Pods without a token.</summary>
    public static KubernetesConnection? Find(EnvironmentVariables environment, TimeProvider time, string directory = AccountDirectory)
    {
        var token = Path.Combine(directory, "token");
        if (
            environment["KUBERNETES_SERVICE_HOST"] is not { Length: > 0 } host
            || environment["KUBERNETES_SERVICE_PORT"] is not { Length: > 0 } port
            || !File.Exists(token)
        )
            return null;
        var address = host.Contains(':', StringComparison.Ordinal) ? $"[{host}]" : host;
        var namespaceFile = Path.Combine(directory, "namespace");
        var authorities = Path.Combine(directory, "ca.crt");
        if (!Uri.TryCreate($"https://{address}:{port}", UriKind.Absolute, out var server))
            throw new KubernetesConnectionException(
                $"KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT must be a host and a port, not '{host}' and '{port}'."
            );
        return new KubernetesConnection(server, new FileCredentialSource(time) { TokenFile = token })
        {
            Namespace = File.Exists(namespaceFile) ? PemSource.OfFile(namespaceFile).Read().Trim() : "default",
            CertificateAuthorities = File.Exists(authorities) ? PemSource.OfFile(authorities) : null,
            UsesEnvironmentProxy = false,
        };
    }
}
