namespace ProxySwapper.Kubernetes;

/// <summary>What a watch logs.</summary>
internal static partial class WatchLog
{
    [LoggerMessage(1, LogLevel.Information, "Watching {Resource}")]
    public static partial void Connected(ILogger logger, string resource);

    [LoggerMessage(2, LogLevel.Warning, "The watch of {Resource} was interrupted, retrying in {Pause} ms: {Error}")]
    public static partial void Interrupted(ILogger logger, string resource, int pause, string error);
}
