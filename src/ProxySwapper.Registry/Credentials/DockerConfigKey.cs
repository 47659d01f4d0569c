namespace ProxySwapper.Registry.Credentials;

/// <summary>
/// A key of <c>auths</c>: a host with or without scheme, an optional path (the API version or a repository prefix), and wildcards in the
/// host's labels as in kubelet. Docker Hub appears as <c>https://index.docker.io/v1/</c>.
/// </summary>
internal sealed record DockerConfigKey(string Host, string Path)
{
    public bool HasStars => Host.Contains('*', StringComparison.Ordinal);

    public static DockerConfigKey Parse(string key)
    {
        var host = RegistryName.HostOfAddress(key, out var path);
        return new DockerConfigKey(host, path);
    }

    public bool IsMatch(ImageReference image) =>
        TakesHost(image.Registry)
        && (Path.Length == 0 || image.Repository == Path || image.Repository.StartsWith($"{Path}/", StringComparison.Ordinal));

    /// <summary>A star matches characters of one label; ports must be equal.</summary>
    private bool TakesHost(string registry)
    {
        if (!HasStars)
            return Host == registry;
        var (own, other) = (Host.Split(':'), registry.Split(':'));
        if (own.Length != other.Length || own.Length > 1 && own[1] != other[1])
            return false;
        var (labels, others) = (own[0].Split('.'), other[0].Split('.'));
        return labels.Length == others.Length
            && labels.Zip(others).All(pair => System.IO.Enumeration.FileSystemName.MatchesSimpleExpression(pair.First, pair.Second));
    }
}
