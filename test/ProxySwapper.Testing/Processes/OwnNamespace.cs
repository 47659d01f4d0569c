namespace ProxySwapper.Testing.Processes;

/// <summary>Starts a command in namespaces of its own.</summary>
internal static class OwnNamespace
{
    /// <summary>With root's rights on the machine or, where there are none, those in a user namespace.</summary>
    private const string Script =
        "if unshare \"$0\" true 2> /dev/null; then exec unshare \"$0\" \"$@\"; fi; exec unshare --map-root-user \"$0\" \"$@\"";

    /// <summary>The arguments of <c>sh</c>.</summary>
    /// <param name="kind">An option of <c>unshare</c>: <c>--mount</c> or <c>--net</c>.</param>
    /// <param name="command">The command, as root of its namespaces.</param>
    public static string[] Arguments(string kind, params ReadOnlySpan<string> command) => ["-c", Script, kind, .. command];
}
