namespace ProxySwapper.Kubernetes;

/// <summary>What an Event says.</summary>
/// <param name="Reason">One word that machines match, for instance <c>ImagePopulateFailed</c>.</param>
/// <param name="Action">What was being done, one word.</param>
/// <param name="Note">What people read; shortened to what the API server takes.</param>
/// <param name="IsWarning">Whether somebody should look.</param>
internal sealed record EventContent(string Reason, string Action, string Note, bool IsWarning = true);
