namespace ProxySwapper.Registry.Copying;

/// <summary>What a copy of some platforms of an index writes.</summary>
public enum PlatformSubset
{
    /// <summary>A new, valid index of those platforms; its digest is a new one.</summary>
    NewIndex,

    /// <summary>The original index with its digest, children missing; many registries refuse it.</summary>
    Sparse,

    /// <summary>The one platform's manifest alone.</summary>
    Flatten,
}
