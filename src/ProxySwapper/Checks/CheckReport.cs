namespace ProxySwapper.Checks;

/// <summary>The result of a check, one line per finding, in the format of <c>/readyz?verbose</c>.</summary>
internal sealed class CheckReport(TextWriter output)
{
    /// <summary>Whether anything failed.</summary>
    public bool HasFailed { get; private set; }

    /// <summary>How many findings there are, with any result.</summary>
    public int Count { get; private set; }

    public void Passed(string text) => Add($"[+] {text}");

    public void Failed(string text)
    {
        HasFailed = true;
        Add($"[-] {text}");
    }

    /// <summary>Something that was not checked, or that deserves attention; not a failure.</summary>
    public void Warned(string text) => Add($"[!] {text}");

    /// <summary>Additional information.</summary>
    public void Note(string text) => output.WriteLine($"    {text}");

    private void Add(string finding)
    {
        Count++;
        output.WriteLine(finding);
    }
}
