namespace ProxySwapper.AdmissionPolicies;

/// <summary>
/// The cost of CEL as the API server counts it: one unit for a step, a tenth for each character inspected, and for regular expressions the
/// product of text and pattern. An expression that exceeds its limit is aborted and the Pod stays unchanged.
/// </summary>
internal static class CelCost
{
    /// <summary>
    /// The number of images per Pod that a policy must be able to handle, each with a different name: more than any known Pod has.
    /// </summary>
    public const int Images = 60;

    /// <summary>The limit of one expression: 1,000,000, less a reserve for the surrounding list.</summary>
    public const long MaximumOfVariable = 800_000;

    /// <summary>The limit of a whole policy: 10,000,000, less a reserve.</summary>
    public const long MaximumOfPolicy = 9_000_000;

    /// <summary>The parser's limit on nesting is 250; each rule of a variable is one level.</summary>
    public const int MaximumRulesOfVariable = 100;

    /// <summary>How many match conditions the API server allows in a policy.</summary>
    public const int MaximumConditions = 64;

    /// <summary>The parser's limit on an expression, in characters.</summary>
    public const int MaximumLength = 100_000;

    /// <summary>The length of the longest reference: a host of 253 with its port, a path of 255, a tag and a sha512 digest.</summary>
    private const int MaximumReferenceLength = 790;

    /// <summary>The length assumed for the total of all rules: longer than nearly all references.</summary>
    private const int UsualReferenceLength = 400;

    /// <summary>The cost of reading a field of the reference and calling a function.</summary>
    private const int Call = 4;

    /// <summary>Comparing a reference, or its prefix, with a text.</summary>
    public static long OfText(string text) => Call + Tenth(text.Length);

    /// <summary>Matching a reference with a regular expression.</summary>
    public static long OfPattern(string pattern) => Call + Tenth(MaximumReferenceLength + 1) * ((pattern.Length + 3) / 4);

    /// <summary>Cutting and reassembling a reference.</summary>
    public static long OfSubstring() => 3 * Call + 2 * Tenth(MaximumReferenceLength);

    /// <summary>Looking an image up in a list, whatever its length.</summary>
    public static long OfLookup(int count) => (long)count * MaximumReferenceLength / UsualReferenceLength;

    /// <summary>The cost of a variable that evaluates these conditions for each image.</summary>
    public static long OfVariable(IEnumerable<long> costs) => Images * (OfEntry + costs.Sum());

    /// <summary>A variable's cost for references of usual length.</summary>
    public static long Usually(long cost) => cost * UsualReferenceLength / MaximumReferenceLength;

    /// <summary>Building a map of three texts in a list.</summary>
    private const long OfEntry = 60;

    private static long Tenth(int length) => (length + 9) / 10;
}
