namespace ProxySwapper.Kubernetes;

/// <summary>The object that an Event is about. Without its uid, <c>kubectl describe</c> would not show the Event.</summary>
internal sealed record EventSubject(string ApiVersion, string Kind, string Namespace, string Name, string? Uid);
