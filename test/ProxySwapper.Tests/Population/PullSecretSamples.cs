using System.Text;
using System.Text.Json.Nodes;

namespace ProxySwapper.Tests.Population;

/// <summary>Pull secrets (<c>kubernetes.io/dockerconfigjson</c>) as an API server has them.</summary>
internal static class PullSecretSamples
{
    /// <param name="name">The Secret's name.</param>
    /// <param name="config">The Docker configuration, which need not be one.</param>
    public static JsonObject Create(string name, string config) =>
        new()
        {
            ["apiVersion"] = "v1",
            ["kind"] = "Secret",
            ["metadata"] = new JsonObject { ["name"] = name },
            ["type"] = "kubernetes.io/dockerconfigjson",
            ["data"] = new JsonObject { [".dockerconfigjson"] = Convert.ToBase64String(Encoding.UTF8.GetBytes(config)) },
        };
}
