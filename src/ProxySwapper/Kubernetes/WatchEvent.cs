namespace ProxySwapper.Kubernetes;

/// <summary>What a watch tells.</summary>
internal enum WatchEventKind
{
    /// <summary>Everything that there is follows as <see cref="Added"/>, until <see cref="ListCompleted"/>.</summary>
    ListStarted,

    /// <summary>The object came into the selection, or was in a list.</summary>
    Added,

    /// <summary>The object changed and is still in the selection.</summary>
    Modified,

    /// <summary>The object left the selection: it was deleted, or it no longer has the labels or fields. As it was inside.</summary>
    Deleted,

    /// <summary>What did not come since <see cref="ListStarted"/> does not exist any more.</summary>
    ListCompleted,
}

/// <summary>One event of a watch.</summary>
/// <param name="Kind">What happened.</param>
/// <param name="Item">What was read of the object; the default of <typeparamref name="T"/> for the two events of a list.</param>
internal readonly record struct WatchEvent<T>(WatchEventKind Kind, T? Item);
