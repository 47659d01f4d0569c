using System.Net;
using System.Text.Json;
using ProxySwapper.Registry.Transport;

namespace ProxySwapper.Registry.Distribution;

/// <summary>
/// Parses the pages of one list of tags and stops where the list exceeds a limit, within a page too: registries without paging send the
/// whole list as one.
/// </summary>
/// <remarks>https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#listing-tags</remarks>
internal sealed class TagListParser
{
    private const int MaxTags = 500_000;

    /// <summary>500,000 tags of usual length stay below; of maximum length they would take twice as much.</summary>
    private const int MaxCharacters = 32 * 1024 * 1024;

    // https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#pulling-manifests
    private const int MaxTagLength = 128;

    private int _count;
    private int _characters;

    /// <summary>Parses the next page. An invalid one must not pass as an empty list.</summary>
    /// <exception cref="RegistryException">The page is invalid, or the list exceeds a limit.</exception>
    public IReadOnlyList<string> Parse(ReadOnlySpan<byte> body, RegistryRequest request, HttpStatusCode status)
    {
        try
        {
            // No document, which would need several times the memory of the text.
            var reader = new Utf8JsonReader(body);
            if (!reader.Read() || reader.TokenType != JsonTokenType.StartObject)
                throw new InvalidOperationException("it is not an object");
            List<string>? tags = null;
            while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
            {
                var isTags = reader.ValueTextEquals("tags"u8);
                reader.Read();
                if (isTags && tags is not null)
                    throw new InvalidOperationException("it has several members 'tags'");
                if (isTags)
                    tags = ReadTags(ref reader, request);
                else
                    reader.Skip();
            }
            // Anything after the object is invalid.
            reader.Read();
            return tags ?? throw request.Fault(status, "the response to the list of tags has no tags");
        }
        catch (Exception fault) when (fault is JsonException or InvalidOperationException)
        {
            throw request.Fault(status, $"invalid list of tags: {fault.Message}", fault);
        }
    }

    private List<string> ReadTags(ref Utf8JsonReader reader, RegistryRequest request)
    {
        // A repository without tags has null in many registries.
        if (reader.TokenType == JsonTokenType.Null)
            return [];
        if (reader.TokenType != JsonTokenType.StartArray)
            throw new InvalidOperationException("its tags are not an array");
        var tags = new List<string>();
        while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
        {
            if (reader.TokenType != JsonTokenType.String)
                throw new InvalidOperationException($"tag {tags.Count + 1} is not a string");
            var tag = reader.GetString()!;
            if (tag.Length > MaxTagLength)
                throw new InvalidOperationException($"a tag is longer than {MaxTagLength} characters, the limit");
            if (++_count > MaxTags)
                throw request.Fault(HttpStatusCode.OK, $"it has more than {MaxTags} tags, the limit", limit: true);
            if ((_characters += tag.Length) > MaxCharacters)
                throw request.Fault(
                    HttpStatusCode.OK,
                    $"its tags have more than {MaxCharacters} characters in total, the limit",
                    limit: true
                );
            // What is not a tag is only shown.
            tags.Add(ImageReferenceGrammar.IsTag(tag) ? tag : request.Secrets.Show(tag, MaxTagLength));
        }
        return tags;
    }
}
