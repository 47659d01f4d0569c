namespace ProxySwapper.Commands;

/// <summary>The file name by which the program was started, which a link to it changes.</summary>
internal static class InvocationName
{
    private const string CommandLineFile = "/proc/self/cmdline";

    /// <summary>The name, without folder and extension.</summary>
    public static string Read()
    {
        // The runtime tells what a link points at; the kernel, what was written.
        var path = File.Exists(CommandLineFile) ? File.ReadAllText(CommandLineFile).Split('\0')[0] : Environment.ProcessPath;
        return Path.GetFileNameWithoutExtension(path) ?? "";
    }
}
