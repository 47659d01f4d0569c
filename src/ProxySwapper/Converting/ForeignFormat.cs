namespace ProxySwapper.Converting;

/// <summary>The file formats of other tools that can be converted.</summary>
internal enum ForeignFormat
{
    /// <summary>k8s-image-swapper's <c>.k8s-image-swapper.yaml</c>, or the values of its chart.</summary>
    K8sImageSwapper,

    /// <summary>kube-image-keeper's values (version 1, and the operator's of 2), or its objects (versions 2 and 3).</summary>
    KubeImageKeeper,

    /// <summary>regsync's <c>regsync.yml</c>.</summary>
    Regsync,

    /// <summary>The file of <c>skopeo sync --src yaml</c>.</summary>
    SkopeoSync,
}
