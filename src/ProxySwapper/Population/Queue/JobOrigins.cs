using ProxySwapper.Population.Work;

namespace ProxySwapper.Population.Queue;

/// <summary>
/// The Pods that need an image. An attempt tries the secrets of a few; namespaces beyond these wait until those before them have failed, so
/// that no number of wrong secrets keeps a right one from being tried. Changed under the lock of <see cref="PopulationQueue"/>.
/// </summary>
internal sealed class JobOrigins(PodOrigin first)
{
    /// <summary>Pods whose secrets one attempt tries: enough for namespaces that start the same image at once.</summary>
    private const int MaximumCurrent = 8;

    private readonly List<PodOrigin> _waiting = [];
    private readonly HashSet<string> _namespaces = new(StringComparer.Ordinal) { first.Namespace };
    private volatile IReadOnlyList<PodOrigin> _current = [first];

    /// <summary>Those whose secrets the next attempt tries, in order of arrival. May be read without the lock.</summary>
    public IReadOnlyList<PodOrigin> Current => _current;

    /// <summary>Whether a namespace has or had a place, or waits for one.</summary>
    public bool Include(string @namespace) => _namespaces.Contains(@namespace);

    /// <summary>Adds a Pod if it may have other credentials.</summary>
    /// <returns>True if the next attempt tries its secrets.</returns>
    public bool Add(PodOrigin another)
    {
        if (!_current.All(another.HasOtherAccessThan))
            return false;
        if (_current.Count < MaximumCurrent)
            _current = [.. _current, another];
        else if (ReplaceableFor(another) is { } replaced)
            _current = [.. _current.Where(origin => origin != replaced), another];
        else
        {
            // One known only from a review has no secrets to be tried.
            if (another.Uid is not null && _waiting.Count < PodOrigin.MaximumPerImage && _namespaces.Add(another.Namespace))
                _waiting.Add(another);
            return false;
        }
        _namespaces.Add(another.Namespace);
        return true;
    }

    /// <summary>After a failed attempt, gives places to namespaces that wait.</summary>
    /// <param name="tried">Those whose secrets the attempt tried.</param>
    /// <param name="areRejected">True if their secrets are not worth another attempt.</param>
    /// <returns>False if no namespace waits.</returns>
    public bool Advance(IReadOnlyList<PodOrigin> tried, bool areRejected)
    {
        if (_waiting.Count == 0)
            return false;
        List<PodOrigin> next = [.. _current.Except(tried), .. _waiting];
        if (!areRejected)
            next.AddRange(_current.Intersect(tried));
        _current = [.. next.Take(MaximumCurrent)];
        _waiting.Clear();
        _waiting.AddRange(next.Skip(MaximumCurrent));
        return true;
    }

    /// <summary>
    /// Who gives up a place: one known only from a review, which anyone could post; or one of the namespace with most, so that none crowds
    /// out the others.
    /// </summary>
    private PodOrigin? ReplaceableFor(PodOrigin another)
    {
        var unverified = _current.Where(origin => origin.Uid is null).ToList();
        if (another.Uid is not null && unverified.Count > 0)
            return unverified[^1];
        var replaceable = another.Uid is null ? unverified : _current;
        return
            replaceable.Count > 0
            && replaceable.CountBy(origin => origin.Namespace).MaxBy(share => share.Value) is { Value: > 1 } most
            && _current.Count(origin => origin.Namespace == another.Namespace) + 1 < most.Value
            ? replaceable.Last(origin => origin.Namespace == most.Key)
            : null;
    }
}
