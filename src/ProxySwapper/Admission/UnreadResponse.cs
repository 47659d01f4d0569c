namespace ProxySwapper.Admission;

/// <summary>
/// A feature of connections that is notified of the size of a large response that is written, and when its client has read most of it.
/// </summary>
/// <param name="Begin">Called with the number of bytes.</param>
/// <param name="End">Called with the same number.</param>
internal sealed record UnreadResponse(Action<int> Begin, Action<int> End);
