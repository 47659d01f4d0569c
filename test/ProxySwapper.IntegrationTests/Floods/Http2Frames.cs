using System.Buffers;
using System.Buffers.Binary;
using System.Text;

namespace ProxySwapper.IntegrationTests.Floods;

/// <summary>Hand-made HTTP/2 frames (RFC 9113) that no client library would send.</summary>
internal static class Http2Frames
{
    private const byte Data = 0,
        Headers = 1,
        ResetStream = 3,
        Settings = 4,
        Ping = 6,
        Continuation = 9;

    private const byte EndStream = 1,
        EndHeaders = 4;

    /// <summary>The client preface and its settings: identifiers and values.</summary>
    public static byte[] Preface(params (ushort Identifier, uint Value)[] settings) =>
        [.. "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"u8, .. Change(settings)];

    /// <summary>Settings: identifiers and values.</summary>
    public static byte[] Change(params (ushort Identifier, uint Value)[] settings)
    {
        var payload = new byte[settings.Length * 6];
        for (var index = 0; index < settings.Length; index++)
        {
            BinaryPrimitives.WriteUInt16BigEndian(payload.AsSpan(index * 6), settings[index].Identifier);
            BinaryPrimitives.WriteUInt32BigEndian(payload.AsSpan((index * 6) + 2), settings[index].Value);
        }
        return Frame(Settings, 0, 0, payload);
    }

    public static byte[] Pings(int count) => Repeat(count, Frame(Ping, 0, 0, new byte[8]));

    public static byte[] EmptySettings(int count) => Repeat(count, Frame(Settings, 0, 0, []));

    /// <summary>The headers of a review; the body follows.</summary>
    public static byte[] Request(int stream) => Frame(Headers, EndHeaders, stream, RequestHeaders());

    /// <summary>The headers of a review, one of them long; the body follows.</summary>
    public static byte[] LongRequest(int stream, int length) =>
        Frame(Headers, EndHeaders, stream, [.. RequestHeaders(), .. Literal("a", new string('b', length))]);

    /// <summary>The headers of a review, without an end.</summary>
    public static byte[] EndlessHeaders(int stream, int frames) =>
        [
            .. Frame(Headers, 0, stream, RequestHeaders()),
            .. Repeat(frames, Frame(Continuation, 0, stream, Literal("a", new string('b', 8000)))),
        ];

    /// <summary>A part of a body.</summary>
    public static byte[] Body(int stream, ReadOnlySpan<byte> content, bool isLast = false) =>
        Frame(Data, isLast ? EndStream : (byte)0, stream, content);

    public static byte[] EmptyBodies(int stream, int count) => Repeat(count, Body(stream, []));

    public static byte[] Reset(int stream) => Frame(ResetStream, 0, stream, [0, 0, 0, 8]);

    /// <summary>Frames one after the other.</summary>
    public static byte[] Join(IEnumerable<byte[]> frames)
    {
        var all = new ArrayBufferWriter<byte>();
        foreach (var frame in frames)
            all.Write(frame);
        return all.WrittenSpan.ToArray();
    }

    /// <summary>Reads frames until the response on a stream has ended.</summary>
    public static async Task ReadResponseAsync(Stream connection, int stream)
    {
        var header = new byte[9];
        bool isLast;
        do
        {
            await connection.ReadExactlyAsync(header);
            await connection.ReadExactlyAsync(new byte[BinaryPrimitives.ReadInt32BigEndian(header) >>> 8]);
            isLast = header[3] is Data or Headers && (header[4] & EndStream) != 0;
        } while (!isLast || BinaryPrimitives.ReadInt32BigEndian(header.AsSpan(5)) != stream);
    }

    private static byte[] Frame(byte type, byte flags, int stream, ReadOnlySpan<byte> payload)
    {
        var frame = new byte[9 + payload.Length];
        BinaryPrimitives.WriteInt32BigEndian(frame, payload.Length << 8 | type);
        frame[4] = flags;
        BinaryPrimitives.WriteInt32BigEndian(frame.AsSpan(5), stream);
        payload.CopyTo(frame.AsSpan(9));
        return frame;
    }

    /// <summary>Fields by their index in the static table of HPACK (RFC 7541, appendix A), or literal.</summary>
    private static byte[] RequestHeaders() =>
        [0x83, 0x87, 0x04, .. Text("/mutate"), 0x01, .. Text("localhost"), 0x0F, 0x10, .. Text("application/json")];

    private static byte[] Literal(string name, string value) => [0x00, .. Text(name), .. Text(value)];

    /// <summary>A string with its length: an integer with a prefix of seven bits.</summary>
    private static byte[] Text(string text)
    {
        var length = new List<byte>();
        if (text.Length < 127)
            length.Add((byte)text.Length);
        else
        {
            length.Add(127);
            var rest = text.Length - 127;
            for (; rest >= 128; rest >>= 7)
                length.Add((byte)(rest & 127 | 128));
            length.Add((byte)rest);
        }
        return [.. length, .. Encoding.ASCII.GetBytes(text)];
    }

    private static byte[] Repeat(int count, byte[] frame) => Join(Enumerable.Repeat(frame, count));
}
