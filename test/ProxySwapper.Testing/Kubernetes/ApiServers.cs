using ProxySwapper.Kubernetes;
using ProxySwapper.Kubernetes.Connection;
using ProxySwapper.Kubernetes.InMemory;

namespace ProxySwapper.Testing.Kubernetes;

/// <summary>Clients of an API server in this process.</summary>
internal static class ApiServers
{
    /// <summary>A client for a user with this name.</summary>
    /// <param name="server">The API server.</param>
    /// <param name="user">The user.</param>
    /// <param name="namespace">The namespace of the connection.</param>
    /// <param name="clock">What the client takes for the time; its timeouts are real ones.</param>
    public static KubernetesClient Connect(
        InMemoryApiServer server,
        string user = "administrator",
        string @namespace = "default",
        TimeProvider? clock = null
    )
    {
        var file = Path.GetTempFileName();
        try
        {
            File.WriteAllText(file, server.Kubeconfig(user, @namespace));
            return new KubernetesClient(
                new KubeconfigReader(TimeProvider.System).Read([file], null),
                new Clock(clock ?? TimeProvider.System)
            );
        }
        finally
        {
            File.Delete(file);
        }
    }

    private sealed class Clock(TimeProvider clock) : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => clock.GetUtcNow();

        public override long TimestampFrequency => clock.TimestampFrequency;

        public override long GetTimestamp() => clock.GetTimestamp();
    }
}
