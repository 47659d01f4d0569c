namespace ProxySwapper.Kubernetes;

/// <summary>The API server's connection is not usable: no kubeconfig, a missing context, a failing plugin.</summary>
internal sealed class KubernetesConnectionException(string message, Exception? innerException = null) : Exception(message, innerException);
