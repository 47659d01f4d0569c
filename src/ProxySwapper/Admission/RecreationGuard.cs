namespace ProxySwapper.Admission;

/// <summary>
/// Detects controllers that delete and recreate a Pod because its images differ from what they wrote. ReplicaSets, StatefulSets and the
/// like never check; for any other controller, a Pod that is created three times within ten minutes with the same images is left unchanged
/// for an hour. Each replica counts the reviews that it receives. Bounded and thread-safe.
/// </summary>
internal sealed class RecreationGuard(TimeProvider time)
{
    private const int MaximumCreations = 3;
    private const int Capacity = 10_000;
    private static readonly TimeSpan Window = TimeSpan.FromMinutes(10);
    private static readonly TimeSpan Rest = TimeSpan.FromHours(1);

    private readonly Lock _gate = new();
    private readonly Dictionary<string, Creations> _seen = new(StringComparer.Ordinal);

    /// <summary>
    /// Records the creation of a Pod. Free for Pods of built-in controllers and Pods without a controller. Those with <c>generateName</c>
    /// are not named yet when they are reviewed: three of them are three replicas rather than one Pod that is recreated.
    /// </summary>
    /// <param name="review">The review of the creation.</param>
    /// <param name="isNew">True if this is the first Pod to be left unchanged.</param>
    /// <returns>True if the Pod must be left unchanged.</returns>
    public bool Created(AdmissionReview review, out bool isNew)
    {
        isNew = false;
        if (
            review
            is not { Operation: "CREATE", IsDryRun: false, Object: { Name.Length: > 0, Controller: { IsBuiltIn: false } controller } pod }
        )
            return false;
        var now = time.GetUtcNow();
        var key = string.Join('\n', pod.Images.Select(image => image.Image).Prepend(pod.Name).Prepend(controller.Uid));
        lock (_gate)
        {
            if (!_seen.TryGetValue(key, out var creations))
            {
                if (_seen.Count >= Capacity)
                    Clean(now);
                _seen[key] = creations = new Creations();
            }
            if (creations.RestsUntil > now)
                return true;
            creations.Times.Enqueue(now);
            while (creations.Times.Peek() <= now - Window)
                creations.Times.Dequeue();
            if (creations.Times.Count < MaximumCreations)
                return false;
            creations.Times.Clear();
            creations.RestsUntil = now + Rest;
            return isNew = true;
        }
    }

    private void Clean(DateTimeOffset now)
    {
        foreach (var (key, creations) in _seen.ToList())
            if (creations.RestsUntil <= now && (creations.Times.Count == 0 || creations.Times.Last() <= now - Window))
                _seen.Remove(key);
        // All these Pods differ, so none is in a loop.
        if (_seen.Count >= Capacity)
            _seen.Clear();
    }

    private sealed class Creations
    {
        public Queue<DateTimeOffset> Times { get; } = new();

        public DateTimeOffset RestsUntil { get; set; } = DateTimeOffset.MinValue;
    }
}
