using ProxySwapper.Kubernetes;
using ProxySwapper.Kubernetes.Connection;
using ProxySwapper.Kubernetes.InMemory;

namespace ProxySwapper.Testing.Kubernetes;

/// <summary>Clients of an API server in this process.</summary>
internal static class ApiServers
{
    /// <summary>A client for a user with this name.</summary>
    public static KubernetesClient Connect(InMemoryApiServer server, string user = "administrator", string @namespace = "default")
    {
        var file = Path.GetTempFileName();
        try
        {
            File.WriteAllText(file, server.Kubeconfig(user, @namespace));
            return new KubernetesClient(new KubeconfigReader(TimeProvider.System).Read([file], null), TimeProvider.System);
        }
        finally
        {
            File.Delete(file);
        }
    }
}
