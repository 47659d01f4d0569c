using ProxySwapper.Registry;

namespace ProxySwapper.Population.Downstream;

/// <summary>
/// Our access to one target of the rules: the repositories of a registry below a path. Only changed by <see cref="DownstreamHealth"/>.
/// </summary>
/// <param name="registry">The registry.</param>
/// <param name="path">The path without slashes at its ends; empty for all repositories that no other target covers.</param>
internal sealed class TargetAccess(RegistryName registry, string path)
{
    /// <summary>Maximum number of used repositories checked: one being denied says nothing about the others.</summary>
    private const int MaximumRepositories = 3;

    private volatile string? _fault;
    private volatile bool _isUrgent;
    private volatile string? _probe;
    private volatile string? _granted;
    private volatile IReadOnlyList<string> _used = [];

    /// <summary>The repositories that rejected us in their last response.</summary>
    private readonly HashSet<string> _denied = new(StringComparer.Ordinal);
    private DateTimeOffset _next;

    public string Path { get; } = path;

    /// <summary>The registry and the path, as the rules have them.</summary>
    public string Name { get; } = path.Length == 0 ? registry.Text : $"{registry}/{path}";

    /// <summary>
    /// The repositories to check: one below the path of the rules, then those most recently used. It only begins to fail if all of them
    /// deny access, since a login may have rights for single repositories.
    /// </summary>
    public IReadOnlyList<string> Repositories => _probe is { } probe ? [probe, .. _used] : _used;

    /// <summary>The number of consecutive rejections.</summary>
    public int Failures { get; private set; }

    /// <summary>Why it counts as failing, or null.</summary>
    public string? Fault => _fault;

    /// <summary>Why it denied access at the last check, or null.</summary>
    public string? LastFault { get; private set; }

    public DownstreamAccess Access { get; private set; }

    /// <summary>Sets a repository to check before there is an image: one below the path, or that of a fixed replacement.</summary>
    public void SetProbe(string repository)
    {
        _isUrgent |= _probe is null;
        _probe = repository;
    }

    /// <summary>Adds a repository of an image; the first one of a target is checked at once.</summary>
    /// <returns>True if it is the first.</returns>
    public bool AddRepository(string repository)
    {
        var used = _used;
        if (repository == _probe || used.Contains(repository, StringComparer.Ordinal))
            return false;
        var isFirst = Repositories.Count == 0;
        // The one that was last granted stays.
        _used = [repository, .. used.OrderBy(each => each != _granted).Take(MaximumRepositories - 1)];
        _isUrgent |= isFirst;
        return isFirst;
    }

    /// <summary>Another component was denied access there.</summary>
    /// <returns>True if it must be checked at once; false if it is being checked often already.</returns>
    public bool ReportDenial() => Failures == 0 && (_isUrgent = true);

    /// <summary>Whether it is to be checked now; if so, the caller checks it.</summary>
    public bool TakeDue(DateTimeOffset now)
    {
        if (Repositories.Count == 0 || !_isUrgent && _next > now)
            return false;
        _isUrgent = false;
        return true;
    }

    /// <summary>
    /// The results of a check of all repositories. Each keeps its last result if this one is inconclusive. It fails after several
    /// consecutive checks in which all denied access; it recovers once one grants it or none denies it any more. What denies it is checked
    /// again in each round, everything else at the given time.
    /// </summary>
    /// <returns>True if it has just started to fail, or has just recovered.</returns>
    public bool Checked(IReadOnlyList<RepositoryAccess> results, DateTimeOffset next)
    {
        var before = _fault;
        if (results.FirstOrDefault(each => each.Response == RepositoryResponse.Granted) is { } granted)
        {
            _granted = granted.Repository;
            Accept(DownstreamAccess.Granted);
        }
        else
            Read(results);
        _next = Failures > 0 ? DateTimeOffset.MinValue : next;
        return before is null != _fault is null;
    }

    /// <summary>Nothing is populated there, so that our access does not matter.</summary>
    /// <returns>True if it was failing.</returns>
    public bool NotPopulated()
    {
        var wasFailing = _fault is not null;
        Accept(DownstreamAccess.Unknown);
        _next = DateTimeOffset.MinValue;
        return wasFailing;
    }

    private void Read(IReadOnlyList<RepositoryAccess> results)
    {
        _denied.IntersectWith(results.Select(each => each.Repository));
        _denied.ExceptWith(results.Where(each => each.Response == RepositoryResponse.Absent).Select(each => each.Repository));
        _denied.UnionWith(results.Where(each => each.Response == RepositoryResponse.Denied).Select(each => each.Repository));
        var denial = results.LastOrDefault(each => each.Denial is not null)?.Denial;
        // Inconclusive results alone end nothing, also where other repositories have replaced those that denied access.
        if (_denied.Count == 0 && results.Any(each => each.Response == RepositoryResponse.Absent))
            Accept(Access == DownstreamAccess.Granted ? Access : DownstreamAccess.Unknown);
        else if (_fault is null && (denial is null || _denied.Count < results.Count))
            // Not a consecutive rejection. Which repositories denied access is kept.
            (Access, LastFault, Failures) = (Access == DownstreamAccess.Granted ? Access : DownstreamAccess.Unknown, null, 0);
        else if (denial is not null)
        {
            (Access, LastFault) = (DownstreamAccess.Refused, denial);
            if (++Failures >= RegistryHealth.FailuresThatCount)
                _fault = denial;
        }
    }

    private void Accept(DownstreamAccess access)
    {
        _denied.Clear();
        (Access, LastFault, Failures, _fault) = (access, null, 0, null);
    }
}
