namespace ProxySwapper.Registry.InMemory;

/// <summary>A parsed request path: repositories contain slashes, so the protocol's keywords are searched from the right.</summary>
internal readonly record struct InMemoryRegistryRoute(InMemoryRegistryRequestKind Kind, string Repository, string Reference)
{
    private const string Root = "/v2/";

    public static InMemoryRegistryRoute Of(HttpRequest request)
    {
        var path = request.Path.Value ?? "";
        if (path is "/v2/" or "/v2")
            return new(InMemoryRegistryRequestKind.Ping, "", "");
        if (!path.StartsWith(Root, StringComparison.Ordinal))
            return default;
        var rest = path[Root.Length..];
        if (Split(rest, "/blobs/uploads/") is var (uploadRepository, session))
            return new(
                request.Query.ContainsKey("mount") ? InMemoryRegistryRequestKind.Mount : InMemoryRegistryRequestKind.Upload,
                uploadRepository,
                session
            );
        if (Split(rest, "/blobs/") is var (blobRepository, digest))
            return new(InMemoryRegistryRequestKind.Blob, blobRepository, digest);
        if (Split(rest, "/manifests/") is var (repository, reference))
            return new(InMemoryRegistryRequestKind.Manifest, repository, reference);
        if (Split(rest, "/referrers/") is var (subjectRepository, subject))
            return new(InMemoryRegistryRequestKind.Referrers, subjectRepository, subject);
        return rest.EndsWith("/tags/list", StringComparison.Ordinal)
            ? new(InMemoryRegistryRequestKind.Tags, rest[..^"/tags/list".Length], "")
            : default;
    }

    private static (string Repository, string Last)? Split(string path, string word) =>
        path.LastIndexOf(word, StringComparison.Ordinal) is > 0 and var at ? (path[..at], path[(at + word.Length)..]) : null;
}

/// <summary>The kind of request, for counting.</summary>
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
