namespace ProxySwapper.Population.Downstream;

/// <summary>The health of one downstream registry. Only changed by <see cref="DownstreamHealth"/>.</summary>
internal sealed class RegistryHealth(string registry)
{
    /// <summary>The number of consecutive failures after which a registry counts as failing.</summary>
    private const int FailuresThatCount = 3;

    /// <summary>Maximum number of repositories checked: one being denied says nothing about the others.</summary>
    private const int MaximumRepositories = 3;

    private volatile string? _fault;
    private DownstreamAccess _access;
    private volatile IReadOnlyList<string> _repositories = [];

    public string Registry { get; } = registry;

    public int Failures { get; private set; }

    /// <summary>The repositories to check: one from the rules, else those most recently used.</summary>
    public IReadOnlyList<string> Repositories => _repositories;

    /// <summary>When our access is checked next.</summary>
    public DateTimeOffset NextAccessCheck { get; set; }

    /// <summary>Why we may not; null while we may, or while that cannot be told.</summary>
    public string? AccessFault { get; private set; }

    /// <summary>When it is pinged next.</summary>
    public DateTimeOffset NextLook { get; set; }

    /// <summary>Why it is failing, or null.</summary>
    public string? Fault => _fault;

    /// <summary>The state at the last check.</summary>
    public DownstreamState State { get; private set; } = new(registry, null, null, DownstreamAccess.Unknown, null);

    /// <summary>Adds a repository that images are copied to.</summary>
    /// <param name="repository">The repository.</param>
    /// <param name="isOfRules">True if the rules name it, so that no other needs to be checked.</param>
    public void AddRepository(string repository, bool isOfRules)
    {
        if (isOfRules)
            (HasRepositoryOfRules, _repositories) = (true, [repository]);
        else if (!HasRepositoryOfRules && !_repositories.Contains(repository, StringComparer.Ordinal))
            _repositories = [repository, .. _repositories.Take(MaximumRepositories - 1)];
    }

    private bool HasRepositoryOfRules { get; set; }

    /// <summary>What came of the question whether we may read and write.</summary>
    /// <param name="access">Whether we may.</param>
    /// <param name="denial">Why we may not, where it is refused.</param>
    public void Accessed(DownstreamAccess access, string? denial = null) => (_access, AccessFault) = (access, denial);

    /// <summary>It responded; true if it has just recovered.</summary>
    public bool Answered(DateTimeOffset at)
    {
        Failures = 0;
        var isNews = _fault is not null;
        _fault = null;
        State = new DownstreamState(Registry, null, null, _access, at);
        return isNews;
    }

    /// <summary>It did not respond; true if it has just started to fail.</summary>
    public bool Failed(string fault, DateTimeOffset at)
    {
        Failures++;
        var isNews = Failures >= FailuresThatCount && _fault is null;
        if (Failures >= FailuresThatCount)
            _fault = fault;
        State = new DownstreamState(Registry, _fault, fault, _access, at);
        return isNews;
    }
}
