namespace ProxySwapper.Kubernetes;

/// <summary>The content of an Event.</summary>
/// <param name="Reason">One machine-readable word, such as <c>ImagePopulateFailed</c>.</param>
/// <param name="Action">The action that was taken, in one word.</param>
/// <param name="Note">A human-readable text; shortened to the API server's limit.</param>
/// <param name="IsWarning">True for a warning.</param>
internal sealed record EventContent(string Reason, string Action, string Note, bool IsWarning = true);
