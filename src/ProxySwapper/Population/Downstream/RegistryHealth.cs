using ProxySwapper.Registry;

namespace ProxySwapper.Population.Downstream;

/// <summary>The health of one downstream registry. Only changed by <see cref="DownstreamHealth"/>.</summary>
internal sealed class RegistryHealth(RegistryName registry)
{
    /// <summary>The number of consecutive failures after which a registry or a target counts as failing.</summary>
    public const int FailuresThatCount = 3;

    private readonly TargetAccess _others = new(registry, "");
    private volatile string? _fault;
    private volatile bool _isUrgent;
    private volatile bool _isBeingChecked;
    private volatile IReadOnlyList<TargetAccess> _targets = [];

    public RegistryName Registry { get; } = registry;

    public int Failures { get; private set; }

    /// <summary>Whether it is being checked, so that it is not due before that ends.</summary>
    public bool IsBeingChecked
    {
        get => _isBeingChecked;
        private set => _isBeingChecked = value;
    }

    /// <summary>When it is pinged next.</summary>
    public DateTimeOffset NextCheck { get; set; }

    /// <summary>Why it is failing, or null.</summary>
    public string? Fault => _fault;

    /// <summary>The targets of the rules, and one for all other repositories.</summary>
    public IEnumerable<TargetAccess> Targets => _targets.Append(_others);

    /// <summary>Whether it or one of its targets failed at the last check.</summary>
    public bool HasFailures => Failures > 0 || Targets.Any(target => target.Failures > 0);

    /// <summary>The state at the last check.</summary>
    public DownstreamState State { get; private set; } = new(registry, null, null, DownstreamAccess.Unknown, null);

    /// <summary>Sets the paths of the rules' targets. Those that stay keep their state.</summary>
    public void SetPaths(IEnumerable<string> paths) =>
        _targets = [
            .. paths
                .Distinct(StringComparer.Ordinal)
                .OrderByDescending(path => path.Length)
                .Select(path => _targets.FirstOrDefault(target => target.Path == path) ?? new TargetAccess(Registry, path)),
        ];

    /// <summary>The target that a repository belongs to: the one with the longest path.</summary>
    public TargetAccess TargetOf(string repository)
    {
        foreach (var target in _targets)
            if (
                repository.StartsWith(target.Path, StringComparison.Ordinal)
                && (repository.Length == target.Path.Length || repository[target.Path.Length] == '/')
            )
                return target;
        return _others;
    }

    /// <summary>Has it checked at once.</summary>
    public void RequestCheck() => _isUrgent = true;

    /// <summary>Whether it is to be checked now; if so, the caller checks it and then calls <see cref="End"/>.</summary>
    public bool TakeDue(DateTimeOffset now)
    {
        if (IsBeingChecked || !_isUrgent && NextCheck > now)
            return false;
        _isUrgent = false;
        return IsBeingChecked = true;
    }

    /// <summary>The check has ended.</summary>
    public void End() => IsBeingChecked = false;

    /// <summary>It responded; true if it has just recovered.</summary>
    public bool Responded()
    {
        Failures = 0;
        var isNews = _fault is not null;
        _fault = null;
        return isNews;
    }

    /// <summary>It did not respond; true if it has just started to fail.</summary>
    public bool Failed(string fault)
    {
        Failures++;
        var isNews = Failures >= FailuresThatCount && _fault is null;
        if (Failures >= FailuresThatCount)
            _fault = fault;
        return isNews;
    }

    /// <summary>Records the state after a check.</summary>
    /// <param name="fault">Why it did not respond, or null.</param>
    /// <param name="at">The time of the check.</param>
    public void Checked(string? fault, DateTimeOffset at)
    {
        var access = Targets.Select(target => target.Access).Max();
        State = new DownstreamState(
            Registry,
            Fault ?? FirstOf(target => target.Fault),
            fault ?? FirstOf(target => target.LastFault),
            access,
            at
        );
    }

    private string? FirstOf(Func<TargetAccess, string?> fault) =>
        Targets
            .Where(target => fault(target) is not null)
            .Select(target => target.Path.Length == 0 ? fault(target) : $"{target.Name}: {fault(target)}")
            .FirstOrDefault();
}
