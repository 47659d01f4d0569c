namespace ProxySwapper.Admission;

/// <summary>The labels and annotations of Pods that the webhook reads or writes.</summary>
internal static class WellKnownLabels
{
    /// <summary>With the value <c>true</c>, on a Pod: leave it unchanged.</summary>
    public const string OptOutLabel = "proxyswapper.io/ignore";

    /// <summary>Set by kubelet on the API server's copy of a static Pod.</summary>
    public const string MirrorAnnotation = "kubernetes.io/config.mirror";
}
