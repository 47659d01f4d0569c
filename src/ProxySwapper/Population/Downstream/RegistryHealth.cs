namespace ProxySwapper.Population.Downstream;

/// <summary>How one downstream registry does. Changed by <see cref="DownstreamHealth"/> alone.</summary>
internal sealed class RegistryHealth(string registry)
{
    /// <summary>One failure may be an accident; this many in a row are none.</summary>
    private const int FailuresThatCount = 3;

    /// <summary>As many repositories are asked about: that one of them is closed to us says nothing of the others.</summary>
    private const int MaximumRepositories = 3;

    private volatile string? _fault;
    private DownstreamAccess _access;
    private volatile IReadOnlyList<string> _repositories = [];

    public string Registry { get; } = registry;

    public int Failures { get; private set; }

    /// <summary>The repositories that it is asked about: one that the rules name, else those that images went to last.</summary>
    public IReadOnlyList<string> Repositories => _repositories;

    /// <summary>When it is asked next whether we may read and write.</summary>
    public DateTimeOffset NextAccessCheck { get; set; }

    /// <summary>Why we may not; null while we may, or while that cannot be told.</summary>
    public string? AccessFault { get; private set; }

    /// <summary>When it is asked next.</summary>
    public DateTimeOffset NextLook { get; set; }

    /// <summary>Why it counts as failing; null while it does not.</summary>
    public string? Fault => _fault;

    /// <summary>What people are told, as it was when it was asked last.</summary>
    public DownstreamState State { get; private set; } = new(registry, null, null, DownstreamAccess.Unknown, null);

    /// <summary>Images go to a repository.</summary>
    /// <param name="repository">The repository.</param>
    /// <param name="isOfRules">The rules name it: no other one needs to be asked about.</param>
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

    /// <summary>It answered; true when that is news.</summary>
    public bool Answered(DateTimeOffset at)
    {
        Failures = 0;
        var isNews = _fault is not null;
        _fault = null;
        State = new DownstreamState(Registry, null, null, _access, at);
        return isNews;
    }

    /// <summary>It did not answer; true when it counts as failing from now on.</summary>
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
