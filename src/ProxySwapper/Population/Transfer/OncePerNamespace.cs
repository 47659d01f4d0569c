namespace ProxySwapper.Population.Transfer;

/// <summary>
/// What has been logged about namespaces, so that it is logged once. Each namespace has its own limit, so that none can use up that of the
/// others; with too many namespaces, all start over. Thread-safe.
/// </summary>
internal sealed class OncePerNamespace
{
    private const int MaximumOfNamespace = 50;
    private const int MaximumNamespaces = 1000;

    private readonly Lock _gate = new();
    private readonly Dictionary<string, HashSet<string>> _reported = new(StringComparer.Ordinal);

    /// <summary>True if this is new, and the namespace has not reached its limit.</summary>
    public bool IsFirst(string @namespace, string subject)
    {
        lock (_gate)
        {
            if (!_reported.TryGetValue(@namespace, out var subjects))
            {
                if (_reported.Count >= MaximumNamespaces)
                    _reported.Clear();
                _reported[@namespace] = subjects = new HashSet<string>(StringComparer.Ordinal);
            }
            return subjects.Count < MaximumOfNamespace && subjects.Add(subject);
        }
    }
}
