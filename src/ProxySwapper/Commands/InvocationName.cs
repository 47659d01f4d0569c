namespace ProxySwapper.Commands;

/// <summary>The file name by which the program was started, which differs when it was started through a link.</summary>
internal static class InvocationName
{
    private const string CommandLineFile = "/proc/self/cmdline";

    /// <summary>The name, without folder and extension.</summary>
    public static string Read()
    {
        // The runtime reports the target of a link; the kernel reports what was executed.
        var path = File.Exists(CommandLineFile) ? File.ReadAllText(CommandLineFile).Split('\0')[0] : Environment.ProcessPath;
        return Path.GetFileNameWithoutExtension(path) ?? "";
    }
}
