using System.Diagnostics.CodeAnalysis;
using System.Globalization;

namespace ProxySwapper.Mirroring;

/// <summary>
/// A tag parsed as a version, as leniently as Masterminds/semver v3: a leading <c>v</c>, one to three numbers, a pre-release, build
/// metadata. Missing numbers are 0. Versions of different tags can be equal: <c>1.25</c> and <c>v1.25.0+b1</c>.
/// </summary>
internal sealed class SemanticVersion : IComparable<SemanticVersion>
{
    private SemanticVersion(string tag, ulong major, ulong minor, ulong patch, string prerelease) =>
        (Tag, Major, Minor, Patch, Prerelease) = (tag, major, minor, patch, prerelease);

    /// <summary>The tag as written.</summary>
    public string Tag { get; }

    public ulong Major { get; }

    public ulong Minor { get; }

    public ulong Patch { get; }

    /// <summary>The text after the first dash, without build metadata; empty if there is none.</summary>
    public string Prerelease { get; }

    public static bool TryParse(string tag, [NotNullWhen(true)] out SemanticVersion? version)
    {
        version = null;
        var rest = tag.AsSpan();
        if (rest is ['v', ..])
            rest = rest[1..];
        if (!TrySplit(ref rest, '+', out var metadata) || !TrySplit(ref rest, '-', out var prerelease))
            return false;
        if (!AreIdentifiers(metadata) || !AreIdentifiers(prerelease) || HasLeadingZero(prerelease))
            return false;
        Span<ulong> numbers = [0, 0, 0];
        var count = 0;
        foreach (var range in rest.Split('.'))
        {
            if (count == numbers.Length || !TryNumber(rest[range], out numbers[count]))
                return false;
            count++;
        }
        version = new SemanticVersion(tag, numbers[0], numbers[1], numbers[2], prerelease.ToString());
        return true;
    }

    /// <summary>The order of SemVer 2.0.0 §11; build metadata is ignored, identifiers compare ordinally.</summary>
    public int CompareTo(SemanticVersion? other)
    {
        if (other is null)
            return 1;
        if (Major.CompareTo(other.Major) is not 0 and var major)
            return major;
        if (Minor.CompareTo(other.Minor) is not 0 and var minor)
            return minor;
        if (Patch.CompareTo(other.Patch) is not 0 and var patch)
            return patch;
        return (Prerelease.Length, other.Prerelease.Length) switch
        {
            (0, 0) => 0,
            (0, _) => 1,
            (_, 0) => -1,
            _ => ComparePrerelease(Prerelease, other.Prerelease),
        };
    }

    public override string ToString() => Tag;

    /// <summary>Splits at the first separator; false if nothing follows it.</summary>
    private static bool TrySplit(ref ReadOnlySpan<char> rest, char separator, out ReadOnlySpan<char> tail)
    {
        tail = default;
        var at = rest.IndexOf(separator);
        if (at < 0)
            return true;
        tail = rest[(at + 1)..];
        rest = rest[..at];
        return !tail.IsEmpty;
    }

    private static bool AreIdentifiers(ReadOnlySpan<char> text)
    {
        if (text.IsEmpty)
            return true;
        foreach (var range in text.Split('.'))
        {
            if (text[range].IsEmpty)
                return false;
            foreach (var character in text[range])
                if (!char.IsAsciiLetterOrDigit(character) && character != '-')
                    return false;
        }
        return true;
    }

    /// <summary>
    /// SemVer §9: a numeric identifier of a pre-release has no leading zero. Numbers of the version itself may have them.
    /// </summary>
    private static bool HasLeadingZero(ReadOnlySpan<char> prerelease)
    {
        foreach (var range in prerelease.Split('.'))
            if (prerelease[range] is ['0', _, ..] identifier && !identifier.ContainsAnyExceptInRange('0', '9'))
                return true;
        return false;
    }

    private static int ComparePrerelease(ReadOnlySpan<char> left, ReadOnlySpan<char> right)
    {
        var lefts = left.Split('.');
        var rights = right.Split('.');
        while (true)
        {
            var (hasLeft, hasRight) = (lefts.MoveNext(), rights.MoveNext());
            if (!hasLeft || !hasRight)
                return hasLeft.CompareTo(hasRight);
            if (CompareIdentifier(left[lefts.Current], right[rights.Current]) is not 0 and var difference)
                return difference;
        }
    }

    private static int CompareIdentifier(ReadOnlySpan<char> left, ReadOnlySpan<char> right) =>
        (TryNumber(left, out var leftNumber), TryNumber(right, out var rightNumber)) switch
        {
            (true, true) => leftNumber.CompareTo(rightNumber),
            (true, false) => -1,
            (false, true) => 1,
            _ => Math.Sign(left.SequenceCompareTo(right)),
        };

    private static bool TryNumber(ReadOnlySpan<char> text, out ulong number) =>
        ulong.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out number);
}
