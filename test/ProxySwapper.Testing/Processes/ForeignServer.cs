namespace ProxySwapper.Testing.Processes;

/// <summary>Servers that tests start and that are not ours: a registry, an API server.</summary>
internal static class ForeignServer
{
    /// <summary>Called with a server's name before it is started; throws where the test that asks is not declared to need one.</summary>
    public static Action<string> Starting { get; set; } = _ => { };
}
