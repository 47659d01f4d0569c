namespace ProxySwapper.Reporting;

/// <summary>What a report does not know, as sentences.</summary>
internal sealed class ReportProblems
{
    private readonly List<string> _unknown = [];
    private readonly List<string> _assumed = [];

    /// <summary>What could not be read.</summary>
    public IReadOnlyList<string> Unknown => _unknown;

    /// <summary>What is taken for granted in place of something that could not be read.</summary>
    public IReadOnlyList<string> Assumed => _assumed;

    /// <summary>True if there may be images that are not in the report: then no exit code may say that all is well.</summary>
    public bool IsIncomplete { get; private set; }

    /// <summary>Adds something unknown that hides no image.</summary>
    public void Add(string problem) => _unknown.Add(problem);

    /// <summary>Adds something unknown that may hide images.</summary>
    public void AddUnseen(string problem)
    {
        _unknown.Add(problem);
        IsIncomplete = true;
    }

    /// <summary>Adds an assumption.</summary>
    public void Assume(string assumption) => _assumed.Add(assumption);
}
