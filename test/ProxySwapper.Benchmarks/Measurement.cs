using System.Globalization;
using System.Runtime.InteropServices;

namespace ProxySwapper.Benchmarks;

/// <summary>A row of a table of measurements.</summary>
/// <param name="What">What was measured.</param>
/// <param name="Measured">The result.</param>
/// <param name="Wanted">The target; empty if there is none.</param>
/// <param name="Holds">Whether the target is met.</param>
internal sealed record Measurement(string What, string Measured, string Wanted = "", bool Holds = true)
{
    /// <summary>A ratio of our result to another program's, with its upper limit.</summary>
    public static Measurement Ratio(string what, double ratio, double atMost, string detail = "") =>
        new(what, Invariant($"{ratio:N2}{detail}"), Invariant($"≤ {atMost:N1}"), ratio <= atMost);

    public static string Invariant(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);

    /// <summary>The median: the middle value, or the mean of the two in the middle.</summary>
    public static double Median(IEnumerable<double> values)
    {
        var sorted = values.Order().ToList();
        return (sorted[sorted.Count / 2] + sorted[(sorted.Count - 1) / 2]) / 2;
    }

    /// <summary>Prints the table as Markdown.</summary>
    /// <returns>The exit code: 1 if a target was missed.</returns>
    public static int Print(string name, string how, IReadOnlyList<Measurement> rows)
    {
        Console.WriteLine(
            $"""

            Measured on {TimeProvider.System.GetUtcNow():yyyy-MM-dd} with
            `dotnet run -c Release --project test/ProxySwapper.Benchmarks -- {name}`:
            {Environment.ProcessorCount} processors, {RuntimeInformation.OSDescription}, {RuntimeInformation.FrameworkDescription}; {how}

            | what | measured | wanted |
            |---|---|---|
            """
        );
        foreach (var row in rows)
            Console.WriteLine($"| {row.What} | {row.Measured} | {row.Wanted}{(row.Holds ? "" : " **(missed)**")} |");
        return rows.All(row => row.Holds) ? 0 : 1;
    }
}
