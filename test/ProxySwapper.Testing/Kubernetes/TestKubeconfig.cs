namespace ProxySwapper.Testing.Kubernetes;

/// <summary>Kubeconfigs for servers that respond as a test says.</summary>
internal static class TestKubeconfig
{
    /// <summary>A kubeconfig of one context, with a token.</summary>
    /// <param name="server">The server's URL.</param>
    public static string Of(string server) =>
        $$"""
            apiVersion: v1
            kind: Config
            current-context: test
            contexts: [{name: test, context: {cluster: test, user: test} }]
            clusters: [{name: test, cluster: {server: "{{server}}"} }]
            users: [{name: test, user: {token: token} }]
            """;
}
