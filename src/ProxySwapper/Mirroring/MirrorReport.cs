using System.Text.Json;

namespace ProxySwapper.Mirroring;

/// <summary>The results of a run, for the summary and <c>--report</c>.</summary>
internal sealed record MirrorReport(IReadOnlyList<MirrorResult> Results, bool IsDryRun)
{
    public long Bytes => Results.Sum(result => result.Bytes);

    /// <summary>True if nothing failed, nothing is left for another run, and everything was found and understood.</summary>
    public bool IsComplete => Results.All(result => result.IsComplete);

    public int Count(MirrorOutcome outcome) => Results.Count(result => result.Outcome == outcome);

    /// <summary>Writes the report as JSON: the totals, then one entry per tag.</summary>
    public void WriteTo(Stream stream)
    {
        using var json = new Utf8JsonWriter(stream, new JsonWriterOptions { Indented = true });
        json.WriteStartObject();
        json.WriteBoolean("dryRun", IsDryRun);
        json.WriteBoolean("complete", IsComplete);
        foreach (var outcome in Enum.GetValues<MirrorOutcome>())
            json.WriteNumber(NameOf(outcome), Count(outcome));
        json.WriteNumber("bytes", Bytes);
        json.WriteStartArray("tags");
        foreach (var result in Results)
            Write(json, result);
        json.WriteEndArray();
        json.WriteEndObject();
    }

    internal static string NameOf(MirrorOutcome outcome) => JsonNamingPolicy.CamelCase.ConvertName(outcome.ToString());

    private static void Write(Utf8JsonWriter json, MirrorResult result)
    {
        json.WriteStartObject();
        json.WriteString("image", result.Image.Name);
        json.WriteString("source", result.Image.Source.Name);
        json.WriteString("destination", result.Image.Destination.Name);
        if (result.Tag is not null)
            json.WriteString("tag", result.Tag);
        json.WriteString("outcome", NameOf(result.Outcome));
        json.WriteBoolean("complete", result.IsComplete);
        if (result.Detail is not null)
            json.WriteString("detail", result.Detail);
        if (result.Digest is not null)
            json.WriteString("digest", result.Digest);
        if (result.Bytes > 0)
            json.WriteNumber("bytes", result.Bytes);
        json.WriteEndObject();
    }
}
