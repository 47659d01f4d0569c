namespace ProxySwapper.Checks;

/// <summary>The result of a check, one line per finding, in the format of <c>/readyz?verbose</c>.</summary>
internal sealed class CheckReport(TextWriter output)
{
    /// <summary>Whether anything failed.</summary>
    public bool HasFailed { get; private set; }

    public void Passed(string text) => output.WriteLine($"[+] {text}");

    public void Failed(string text)
    {
        HasFailed = true;
        output.WriteLine($"[-] {text}");
    }

    /// <summary>Something that was not checked, or that deserves attention; not a failure.</summary>
    public void Warned(string text) => output.WriteLine($"[!] {text}");

    /// <summary>Additional information.</summary>
    public void Note(string text) => output.WriteLine($"    {text}");
}
