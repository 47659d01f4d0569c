using System.Text.Json;
using System.Text.Json.Nodes;
using YamlDotNet.Core;
using YamlDotNet.Core.Events;

namespace ProxySwapper.Configuration.Yaml;

/// <summary>Writes JSON objects as readable YAML: multi-line texts stay multi-line.</summary>
internal static class YamlWriter
{
    private static readonly string[] Words = ["true", "false", "null", "yes", "no", "on", "off", "y", "n"];

    public static void Write(TextWriter output, IEnumerable<JsonObject> objects)
    {
        var settings = EmitterSettings.Default.WithBestWidth(int.MaxValue);
        foreach (var (index, document) in objects.Index())
        {
            if (index > 0)
                output.Write("---\n");
            using var text = new StringWriter { NewLine = "\n" };
            var emitter = new Emitter(text, settings);
            emitter.Emit(new StreamStart());
            emitter.Emit(new DocumentStart(null, null, isImplicit: true));
            Emit(emitter, document);
            emitter.Emit(new DocumentEnd(isImplicit: true));
            emitter.Emit(new StreamEnd());
            output.Write(text.ToString());
        }
    }

    private static void Emit(Emitter emitter, JsonNode? node)
    {
        switch (node)
        {
            case JsonObject mapping:
                emitter.Emit(new MappingStart(default, default, true, mapping.Count == 0 ? MappingStyle.Flow : MappingStyle.Block));
                foreach (var (name, value) in mapping)
                {
                    Emit(emitter, name);
                    Emit(emitter, value);
                }
                emitter.Emit(new MappingEnd());
                break;
            case JsonArray list:
                var isShort = list.All(item => item is JsonValue);
                emitter.Emit(new SequenceStart(default, default, true, isShort ? SequenceStyle.Flow : SequenceStyle.Block));
                foreach (var item in list)
                    Emit(emitter, item);
                emitter.Emit(new SequenceEnd());
                break;
            case JsonValue value when value.GetValueKind() == JsonValueKind.String:
                Emit(emitter, value.GetValue<string>());
                break;
            default:
                emitter.Emit(new Scalar(node?.ToJsonString() ?? "null"));
                break;
        }
    }

    private static void Emit(Emitter emitter, string text) => emitter.Emit(new Scalar(default, default, text, StyleOf(text), true, true));

    private static ScalarStyle StyleOf(string text) =>
        text.Contains('\n', StringComparison.Ordinal) ? ScalarStyle.Literal
        : text.Length > 0
        && char.IsAsciiLetter(text[0])
        && text.All(character => char.IsAsciiLetterOrDigit(character) || character is '/' or '.' or '-' or '_')
        && !Words.Contains(text, StringComparer.OrdinalIgnoreCase)
            ? ScalarStyle.Plain
        : ScalarStyle.DoubleQuoted;
}
