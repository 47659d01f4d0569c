namespace ProxySwapper.Kubernetes;

/// <summary>How to reach the API server cannot be told: no kubeconfig, a context that is not there, a plugin that fails.</summary>
internal sealed class KubernetesConnectionException(string message, Exception? innerException = null) : Exception(message, innerException);
