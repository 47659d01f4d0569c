namespace ProxySwapper.CredentialHelper;

/// <summary>How asking for a credential went; the names, in lower case, are the metric's label.</summary>
internal enum CredentialOutcome
{
    Ok,

    /// <summary>The sources work and have none for this registry.</summary>
    None,

    /// <summary>A source failed.</summary>
    Failed,

    /// <summary>The registry is none that this process answers for.</summary>
    Refused,
}
