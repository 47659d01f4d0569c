using System.Collections.Concurrent;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;

namespace ProxySwapper.Testing.Processes;

/// <summary>An OTLP collector over HTTP that keeps the spans and metric names it receives.</summary>
internal sealed class OtlpReceiver : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly ConcurrentQueue<OtlpSpan> _spans = new();
    private readonly ConcurrentDictionary<string, bool> _metrics = new();

    private OtlpReceiver()
    {
        _app = LoopbackServer.Build();
        _app.Run(ReceiveAsync);
    }

    /// <summary>The value of <c>OTEL_EXPORTER_OTLP_ENDPOINT</c>.</summary>
    public string Endpoint => _app.Urls.Single();

    public IReadOnlyCollection<OtlpSpan> Spans => _spans;

    public ICollection<string> Metrics => _metrics.Keys;

    public static async Task<OtlpReceiver> StartAsync()
    {
        var receiver = new OtlpReceiver();
        await receiver._app.StartAsync();
        return receiver;
    }

    public ValueTask DisposeAsync() => _app.DisposeAsync();

    private async Task ReceiveAsync(HttpContext context)
    {
        using var body = new MemoryStream();
        await context.Request.Body.CopyToAsync(body);
        var resources = ProtobufMessage.Parse(body.ToArray()).Messages(1).ToList();
        if (context.Request.Path == "/v1/traces")
            foreach (var resource in resources)
            foreach (var span in resource.Messages(2).SelectMany(scope => scope.Messages(2)))
                _spans.Enqueue(Read(span, resource.Messages(1).Single()));
        if (context.Request.Path == "/v1/metrics")
            foreach (var metric in resources.SelectMany(resource => resource.Messages(2)).SelectMany(scope => scope.Messages(2)))
                _metrics[metric.Text(1)] = true;
        context.Response.ContentType = "application/x-protobuf";
    }

    // Numbers of fields: https://github.com/open-telemetry/opentelemetry-proto/blob/main/opentelemetry/proto/trace/v1/trace.proto
    private static OtlpSpan Read(ProtobufMessage span, ProtobufMessage resource) =>
        new(
            span.Text(5),
            Convert.ToHexStringLower(span.Bytes(1)),
            Convert.ToHexStringLower(span.Bytes(2)),
            Convert.ToHexStringLower(span.Bytes(4)),
            Attributes(span.Messages(9)),
            Attributes(resource.Messages(1)),
            [.. span.Messages(13).Select(link => Convert.ToHexStringLower(link.Bytes(2)))]
        );

    private static Dictionary<string, string> Attributes(IEnumerable<ProtobufMessage> pairs) =>
        pairs.ToDictionary(
            pair => pair.Text(1),
            pair =>
                pair.Messages(2).Single() is var value && value.Messages(5).SingleOrDefault() is { } array
                    ? string.Join(' ', array.Messages(1).Select(item => item.Text(1)))
                    : value.Text(1)
        );

    /// <summary>A Protocol Buffers message, by field number (https://protobuf.dev/programming-guides/encoding/).</summary>
    private sealed class ProtobufMessage
    {
        private readonly List<(int Number, byte[] Content)> _fields = [];

        public static ProtobufMessage Parse(byte[] content)
        {
            var message = new ProtobufMessage();
            var at = 0;
            while (at < content.Length)
            {
                var key = Number();
                var length = (key & 7) switch
                {
                    0 => -1,
                    1 => 8,
                    5 => 4,
                    2 => (int)Number(),
                    _ => throw new FormatException($"No wire type: {key & 7}"),
                };
                if (length < 0)
                    Number();
                else
                {
                    message._fields.Add(((int)(key >> 3), content[at..(at + length)]));
                    at += length;
                }
            }
            return message;

            ulong Number()
            {
                for (var (value, shift) = (0UL, 0); ; shift += 7)
                {
                    value |= (ulong)(content[at] & 0x7F) << shift;
                    if (content[at++] < 0x80)
                        return value;
                }
            }
        }

        public byte[] Bytes(int number) => _fields.LastOrDefault(field => field.Number == number).Content ?? [];

        public string Text(int number) => Encoding.UTF8.GetString(Bytes(number));

        public IEnumerable<ProtobufMessage> Messages(int number) =>
            _fields.Where(field => field.Number == number).Select(field => Parse(field.Content));
    }
}

/// <summary>A received span; list attributes are joined with spaces, links are span ids.</summary>
internal sealed record OtlpSpan(
    string Name,
    string TraceId,
    string SpanId,
    string ParentSpanId,
    IReadOnlyDictionary<string, string> Attributes,
    IReadOnlyDictionary<string, string> Resource,
    IReadOnlyList<string> Links
);
