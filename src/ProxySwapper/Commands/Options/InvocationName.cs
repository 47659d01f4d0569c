namespace ProxySwapper.Commands.Options;

/// <summary>The file name by which the program was started, which differs when it was started through a link.</summary>
internal static class InvocationName
{
    private const string PluginName = "kubectl-proxyswapper";
    private const string CommandLineFile = "/proc/self/cmdline";

    /// <summary>
    /// What people type: <c>kubectl proxyswapper</c> for a kubectl plugin
    /// (<see href="https://kubernetes.io/docs/tasks/extend-kubectl/kubectl-plugins/"/>), else <c>proxyswapper</c>.
    /// </summary>
    public static string Typed { get; } = Read() == PluginName ? "kubectl proxyswapper" : "proxyswapper";

    /// <summary>The name, without folder and extension.</summary>
    public static string Read()
    {
        // The runtime reports the target of a link; the kernel reports what was executed.
        var path = File.Exists(CommandLineFile) ? File.ReadAllText(CommandLineFile).Split('\0')[0] : Environment.ProcessPath;
        return Path.GetFileNameWithoutExtension(path) ?? "";
    }
}
