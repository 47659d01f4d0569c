namespace ProxySwapper.Population.Downstream;

/// <summary>How one downstream registry does. Changed by <see cref="DownstreamHealth"/> alone.</summary>
internal sealed class RegistryHealth(string registry)
{
    /// <summary>One failure may be an accident; this many in a row are none.</summary>
    private const int FailuresThatCount = 3;

    private volatile string? _fault;

    public string Registry { get; } = registry;

    public int Failures { get; private set; }

    /// <summary>When it is asked next.</summary>
    public DateTimeOffset NextLook { get; set; }

    /// <summary>Why it counts as failing; null while it does not.</summary>
    public string? Fault => _fault;

    /// <summary>It answered; true when that is news.</summary>
    public bool Answered()
    {
        Failures = 0;
        var isNews = _fault is not null;
        _fault = null;
        return isNews;
    }

    /// <summary>It did not answer; true when it counts as failing from now on.</summary>
    public bool Failed(string fault)
    {
        Failures++;
        if (Failures < FailuresThatCount)
            return false;
        var isNews = _fault is null;
        _fault = fault;
        return isNews;
    }
}
