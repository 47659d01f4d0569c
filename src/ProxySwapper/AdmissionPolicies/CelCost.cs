namespace ProxySwapper.AdmissionPolicies;

/// <summary>
/// What CEL costs, as the API server counts it: one unit for a step, a tenth for each character that is looked at, and for regular
/// expressions the product of text and pattern. An expression that passes its limit is given up, and the Pod stays as it was.
/// </summary>
internal static class CelCost
{
    /// <summary>
    /// Images of one Pod that a policy is made for: more than any Pod has that was ever seen, each with a name of its own.
    /// </summary>
    public const int Images = 60;

    /// <summary>What one expression may cost: 1,000,000, less what the limit on each variable leaves for the list around it.</summary>
    public const long MaximumOfVariable = 800_000;

    /// <summary>What all expressions of a policy may cost together: 10,000,000, less a reserve.</summary>
    public const long MaximumOfPolicy = 9_000_000;

    /// <summary>Nesting that the parser takes is 250; each rule of a variable is a level.</summary>
    public const int MaximumRulesOfVariable = 100;

    /// <summary>The longest text that is a reference: a host of 253 with its port, a path of 255, a tag and a sha512 digest.</summary>
    private const int MaximumReferenceLength = 790;

    /// <summary>The length that the sum of all rules is counted with: longer than nearly all references are.</summary>
    private const int UsualReferenceLength = 400;

    /// <summary>What reading a field of the reference and calling a function costs.</summary>
    private const int Call = 4;

    /// <summary>A reference compared with a text, or looked for at its beginning.</summary>
    public static long OfText(string text) => Call + Tenth(text.Length);

    /// <summary>A reference matched with a regular expression.</summary>
    public static long OfPattern(string pattern) => Call + Tenth(MaximumReferenceLength + 1) * ((pattern.Length + 3) / 4);

    /// <summary>A reference cut and put together anew.</summary>
    public static long OfCut() => 3 * Call + 2 * Tenth(MaximumReferenceLength);

    /// <summary>What a variable costs in which each image meets these conditions.</summary>
    public static long OfVariable(IEnumerable<long> costs) => Images * (OfEntry + costs.Sum());

    /// <summary>A variable's cost for references of usual length.</summary>
    public static long Usually(long cost) => cost * UsualReferenceLength / MaximumReferenceLength;

    /// <summary>A map of three texts in a list.</summary>
    private const long OfEntry = 60;

    private static long Tenth(int length) => (length + 9) / 10;
}
