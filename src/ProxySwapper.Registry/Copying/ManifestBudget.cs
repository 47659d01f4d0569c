using ProxySwapper.Registry.Distribution;

namespace ProxySwapper.Registry.Copying;

/// <summary>A limit on the total size of manifests, so that many valid ones cannot take up all memory and time.</summary>
internal sealed class ManifestBudget
{
    private readonly string _what;
    private readonly long _limit;
    private long _spent;

    private ManifestBudget(string what, int mebibytes) => (_what, _limit) = (what, mebibytes * 1024L * 1024);

    /// <summary>For one image: a thousand times a usual one. Everything is held in memory until written.</summary>
    public static ManifestBudget ForImage() => new("manifests of the image", 16);

    /// <summary>For all referrers of one image, which are held in memory one at a time.</summary>
    public static ManifestBudget ForReferrers() => new("manifests of the image's referrers", 64);

    /// <summary>Checks whether as many bytes more would exceed the limit.</summary>
    /// <exception cref="CopyException">They would.</exception>
    public void Check(RepositoryClient source, long more) => Check(source, Interlocked.Read(ref _spent), more);

    /// <summary>Counts bytes that were read.</summary>
    /// <exception cref="CopyException">They exceed the limit.</exception>
    public void Spend(RepositoryClient source, int bytes) => Check(source, Interlocked.Add(ref _spent, bytes), 0);

    private void Check(RepositoryClient source, long spent, long more)
    {
        if (spent + more > _limit)
            throw new CopyException(
                $"the {_what} in {source.Registry}/{source.Repository} exceed {_limit / (1024 * 1024)} MiB in total, which is the limit"
            );
    }
}
