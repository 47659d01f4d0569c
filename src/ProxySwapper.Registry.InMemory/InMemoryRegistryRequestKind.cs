namespace ProxySwapper.Registry.InMemory;

/// <summary>What a request is about, for counting.</summary>
internal enum InMemoryRegistryRequestKind
{
    Other,
    Ping,
    Manifest,
    Blob,
    Upload,
    Mount,
    Tags,
    Referrers,
}
