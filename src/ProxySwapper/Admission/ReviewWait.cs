namespace ProxySwapper.Admission;

/// <summary>
/// A feature of connections that is notified when a valid review begins and ends to wait for registries, so that its client is not
/// blamed for the time it takes.
/// </summary>
/// <param name="Begin">Called before the wait.</param>
/// <param name="End">Called after it.</param>
internal sealed record ReviewWait(Action Begin, Action End);
