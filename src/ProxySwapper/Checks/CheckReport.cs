namespace ProxySwapper.Checks;

/// <summary>What a check found, a line for each thing, in the form of <c>/readyz?verbose</c>.</summary>
internal sealed class CheckReport(TextWriter output)
{
    /// <summary>Whether anything is wrong.</summary>
    public bool HasFailed { get; private set; }

    public void Passed(string text) => output.WriteLine($"[+] {text}");

    public void Failed(string text)
    {
        HasFailed = true;
        output.WriteLine($"[-] {text}");
    }

    /// <summary>What is neither right nor wrong, or says more about the line before.</summary>
    public void Note(string text) => output.WriteLine($"    {text}");
}
