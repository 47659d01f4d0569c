namespace ProxySwapper.CredentialHelper;

/// <summary>The result of a request for a credential; the names, in lower case, are the metric's label.</summary>
internal enum CredentialOutcome
{
    Ok,

    /// <summary>The sources work and have none for this registry.</summary>
    None,

    /// <summary>A source failed.</summary>
    Failed,

    /// <summary>The registry is not configured.</summary>
    Refused,
}
