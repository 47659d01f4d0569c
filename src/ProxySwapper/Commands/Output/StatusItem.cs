using System.Globalization;
using System.Text.Json;
using ProxySwapper.Kubernetes;
using ProxySwapper.Patterns;
using ProxySwapper.Registry.Timing;

namespace ProxySwapper.Commands.Output;

/// <summary>An object of <c>/populate</c>. Missing members, and members of another type, read as empty.</summary>
/// <param name="Json">The object.</param>
/// <param name="Now">The clock of the program that wrote it.</param>
internal readonly record struct StatusItem(JsonElement Json, DateTimeOffset Now)
{
    /// <summary>The largest numbers that are not cut: a petabyte, and three thousand years.</summary>
    private const double MaximumNumber = 1e15;
    private const double MaximumSeconds = 1e11;

    /// <summary>A time in RFC 3339, or null.</summary>
    public static DateTimeOffset? TimeOf(JsonElement json, string name) =>
        json.Text(name) is { } text
        && DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var time)
            ? time
            : null;

    public bool Has(string name) => Json.Member(name).ValueKind is not (JsonValueKind.Undefined or JsonValueKind.Null);

    public bool IsTrue(string name) => Json.Member(name).ValueKind == JsonValueKind.True;

    public bool IsFalse(string name) => Json.Member(name).ValueKind == JsonValueKind.False;

    /// <summary>A text without control characters, which a terminal would obey.</summary>
    public string Text(string name) => Clean(Json.Text(name));

    public IReadOnlyList<string> Texts(string name) => [.. Json.Texts(name).Select(Clean)];

    public double Number(string name) =>
        Json.Member(name) is { ValueKind: JsonValueKind.Number } number && number.TryGetDouble(out var value)
            ? Math.Clamp(value, 0, MaximumNumber)
            : 0;

    public StatusItem? Item(string name) =>
        Json.Member(name) is { ValueKind: JsonValueKind.Object } item ? new StatusItem(item, Now) : null;

    public IReadOnlyList<StatusItem> Items(string name)
    {
        var now = Now;
        return [.. Json.Items(name).Select(item => new StatusItem(item, now))];
    }

    /// <summary>A number of seconds.</summary>
    public TimeSpan Seconds(string name) => SpanOf(Number(name));

    /// <summary>A duration for any number of seconds; the largest are cut.</summary>
    public static TimeSpan SpanOf(double seconds) => TimeSpan.FromSeconds(Math.Clamp(seconds, 0, MaximumSeconds));

    /// <summary>How long ago a time was.</summary>
    public string Since(string name) => TimeOf(Json, name) is { } time ? DurationFormat.Format(Positive(Now - time)) : "?";

    /// <summary>How long until a time.</summary>
    public string Until(string name) => TimeOf(Json, name) is { } time ? DurationFormat.Format(Positive(time - Now)) : "?";

    private static TimeSpan Positive(TimeSpan span) => span > TimeSpan.Zero ? span : TimeSpan.Zero;

    private static string Clean(string? text) => PlainText.Of(text ?? "").Trim();
}
