namespace ProxySwapper.Registry.Copying;

/// <summary>Whether a copy had anything to do.</summary>
public enum CopyOutcome
{
    /// <summary>The target pointed at the content already.</summary>
    UpToDate,

    /// <summary>Something was written.</summary>
    Copied,
}
