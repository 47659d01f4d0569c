namespace ProxySwapper.Kubernetes;

/// <summary>The kinds of events of a watch.</summary>
internal enum WatchEventKind
{
    /// <summary>All existing objects follow as <see cref="Added"/>, until <see cref="ListCompleted"/>.</summary>
    ListStarted,

    /// <summary>The object entered the selection, or is part of a list.</summary>
    Added,

    /// <summary>The object changed and is still in the selection.</summary>
    Modified,

    /// <summary>
    /// The object left the selection: it was deleted or no longer matches. The item is its last state inside the selection.
    /// </summary>
    Deleted,

    /// <summary>Objects not reported since <see cref="ListStarted"/> no longer exist.</summary>
    ListCompleted,
}

/// <summary>One event of a watch.</summary>
/// <param name="Kind">What happened.</param>
/// <param name="Item">What was extracted from the object; the default of <typeparamref name="T"/> for the two events of a list.</param>
internal readonly record struct WatchEvent<T>(WatchEventKind Kind, T? Item);
