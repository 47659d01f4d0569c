using System.Globalization;
using ProxySwapper.Patterns;

namespace ProxySwapper.AdmissionPolicies;

/// <summary>A part of a regular expression between two possible cuts.</summary>
/// <param name="Source">Its source text.</param>
internal abstract record Piece(string Source);

/// <summary>Always the same number of characters.</summary>
/// <param name="Source">Its source text.</param>
/// <param name="Length">The number.</param>
/// <param name="First">The characters it can start with; empty for none.</param>
internal sealed record FixedPiece(string Source, int Length, string First) : Piece(Source);

/// <summary>Characters of a set, few or many.</summary>
internal sealed record RepeatedPiece(string Source, RegexSet Set) : Piece(Source);

/// <summary>One of several, each of fixed length.</summary>
internal sealed record ChoicePiece(string Source, IReadOnlyList<(string Source, int Length)> Alternatives) : Piece(Source);

/// <summary>Generates CEL for the length of the next piece of a text.</summary>
internal static class PieceLength
{
    /// <summary>The length of the piece at the start of <c>p[index]</c>, the rest of the text, and the cost of finding it.</summary>
    /// <exception cref="GroupNotExtractableException">It cannot be found among few candidates.</exception>
    public static (string Length, long Cost) LengthOf(IReadOnlyList<Piece> pieces, int index)
    {
        var text = $"p[{index}]";
        var rest = pieces.Skip(index + 1).ToList();
        return pieces[index] switch
        {
            FixedPiece piece => (Number(piece.Length), 1),
            ChoicePiece piece => OfChoice(piece, text, SourceOf(rest)),
            RepeatedPiece piece => OfRepeated(piece, text, rest),
            _ => throw new InvalidOperationException($"Unknown kind of piece: {pieces[index]}."),
        };
    }

    /// <summary>The first alternative after which the rest matches.</summary>
    private static (string Length, long Cost) OfChoice(ChoicePiece piece, string text, string rest)
    {
        if (piece.Alternatives.Select(alternative => alternative.Length).Distinct().Count() == 1)
            return (Number(piece.Alternatives[0].Length), 1);
        var patterns = piece.Alternatives.SkipLast(1).Select(alternative => $"^(?:{alternative.Source}){rest}$").ToList();
        var lengths = piece.Alternatives.Select(alternative => Number(alternative.Length)).ToList();
        return (
            string.Concat(patterns.Select((pattern, at) => $"{text}.matches({CelText.Pattern(pattern)}) ? {lengths[at]} : ")) + lengths[^1],
            patterns.Sum(CelCost.OfPattern)
        );
    }

    private static (string Length, long Cost) OfRepeated(RepeatedPiece piece, string text, List<Piece> rest)
    {
        var set = piece.Set;
        if (rest.TrueForAll(next => next is FixedPiece))
            return ($"{text}.size() - {Number(rest.Sum(next => ((FixedPiece)next).Length))}", 2);
        if (Absorbs(rest, set))
            return set.Repetition.IsLazy ? (Number(set.Repetition.Minimum), 1) : Longest(piece, text);
        return rest[0] switch
        {
            FixedPiece { First: [var first] } when !set.Set.Contains(first, StringComparison.Ordinal) => (
                $"{text}.indexOf({CelText.Quote($"{first}")})",
                CelCost.OfSubstring()
            ),
            FixedPiece { First: [var first] } => AtOccurrenceOf(first, piece, text, SourceOf(rest)),
            FixedPiece { First.Length: > 0 } next when !next.First.Any(set.Set.Contains) => Longest(piece, text),
            RepeatedPiece { Set: { Repetition.Minimum: > 0 } next } when !next.Set.Any(set.Set.Contains) => Longest(piece, text),
            var next => throw new GroupNotExtractableException(
                $"'{piece.Source}' followed by '{next.Source}': CEL cannot find where one ends and the other begins"
            ),
        };
    }

    /// <summary>
    /// Whether the next piece consumes everything this set leaves; this set then takes as many characters as possible, or as few as
    /// allowed.
    /// </summary>
    private static bool Absorbs(List<Piece> rest, RegexSet set) =>
        rest[0] is RepeatedPiece { Set: { Repetition: { Minimum: 0, Maximum: int.MaxValue } } next }
        && set.Repetition.Maximum == int.MaxValue
        && set.Set.All(next.Set.Contains)
        && (rest is [_] || rest[1] is FixedPiece { First.Length: > 0 } last && !last.First.Any(set.Set.Contains));

    /// <summary>As many characters of the set as possible.</summary>
    private static (string Length, long Cost) Longest(RepeatedPiece piece, string text)
    {
        var pattern = $"^{(piece.Set.Repetition.IsLazy ? piece.Source[..^1] : piece.Source)}";
        return ($"{text}.find({CelText.Pattern(pattern)}).size()", CelCost.OfPattern(pattern));
    }

    /// <summary>
    /// The last occurrence of a character (for a lazy repetition the first) before which the piece matches and from which the rest matches.
    /// </summary>
    private static (string Length, long Cost) AtOccurrenceOf(char first, RepeatedPiece piece, string text, string rest)
    {
        var parts = $"{text}.split({CelText.Quote($"{first}")})";
        var (before, behind) = ($"^{piece.Source}$", $"^{rest}$");
        var length =
            $"{parts}.transformList(k, _, k > 0, {parts}.transformList(j, part, j < k, part).join({CelText.Quote($"{first}")}).size())"
            + $".filter(n, {text}.substring(0, n).matches({CelText.Pattern(before)})"
            + $" && {text}.substring(n).matches({CelText.Pattern(behind)}))"
            + $".{(piece.Set.Repetition.IsLazy ? "min" : "max")}()";
        // More occurrences than references have of any character worth cutting at.
        const int Places = 12;
        return (length, Places * (CelCost.OfPattern(before) + CelCost.OfPattern(behind) + 3 * CelCost.OfSubstring()) / 2);
    }

    private static string SourceOf(IEnumerable<Piece> pieces) => string.Concat(pieces.Select(piece => piece.Source));

    private static string Number(int number) => number.ToString(CultureInfo.InvariantCulture);
}
