namespace ProxySwapper.Testing.Processes;

/// <summary>Third-party servers that tests start: a registry, an API server.</summary>
internal static class ForeignServer
{
    /// <summary>Called with a server's name before it starts; throws if the calling test is not declared to need one.</summary>
    public static Action<string> Starting { get; set; } = _ => { };
}
