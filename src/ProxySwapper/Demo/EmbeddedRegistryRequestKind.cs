namespace ProxySwapper.Demo;

/// <summary>What a request is about, for counting.</summary>
internal enum EmbeddedRegistryRequestKind
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
