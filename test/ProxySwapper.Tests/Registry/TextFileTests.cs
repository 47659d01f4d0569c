using System.Text;
using ProxySwapper.Registry;

namespace ProxySwapper.Tests.Registry;

/// <summary>Files of users and volumes are read up to a limit, and only as text.</summary>
[TestFixture]
public class TextFileTests
{
    private const int MiB = 1024 * 1024;

    [Test]
    public void What_has_no_end_is_rejected_at_the_limit()
    {
        using var endless = new EndlessStream();

        Assert.That(() => TextFile.Read(endless, MiB), Throws.TypeOf<IOException>().With.Message.EqualTo("it is larger than 1 MiB"));
        Assert.That(endless.Sent, Is.LessThanOrEqualTo(2 * MiB));
    }

    [Test]
    [Platform("Linux", Reason = "The device is Linux's; its size is 0.")]
    public void A_device_has_a_limit_too() =>
        Assert.That(() => TextFile.Read("/dev/zero"), Throws.TypeOf<IOException>().With.Message.EqualTo("it is larger than 4 MiB"));

    [Test]
    public void A_file_of_just_the_limit_is_read() =>
        Assert.That(TextFile.Read(new MemoryStream(new byte[MiB]), MiB), Has.Length.EqualTo(MiB));

    [Test]
    public void Text_that_is_not_UTF_8_is_rejected_with_its_line() =>
        Assert.That(
            () => TextFile.Read(new MemoryStream([.. "port: 8443\nproxyUrl: caf"u8, 0xE9, .. ".example.com\n"u8]), MiB),
            Throws.TypeOf<IOException>().With.Message.EqualTo("line 2 is not valid UTF-8")
        );

    [Test]
    public void A_byte_order_mark_is_no_part_of_the_text([Values("utf-8", "utf-16")] string encoding)
    {
        var text = Encoding.GetEncoding(encoding);

        Assert.That(TextFile.Read(new MemoryStream([.. text.GetPreamble(), .. text.GetBytes("port: é")]), MiB), Is.EqualTo("port: é"));
    }

    [Test]
    public void A_folder_is_named_as_such() =>
        Assert.That(() => TextFile.Read(Path.GetTempPath()), Throws.TypeOf<IOException>().With.Message.EqualTo("it is a directory"));

    [TestCase("")]
    [TestCase("a\0b")]
    public void A_path_that_no_file_has_is_a_failure_to_read(string path) =>
        Assert.That(() => TextFile.Read(path), Throws.TypeOf<IOException>().With.Message.StartsWith("the path is empty, or contains"));

    private sealed class EndlessStream : MemoryStream
    {
        public long Sent { get; private set; }

        public override int Read(Span<byte> buffer)
        {
            buffer.Fill((byte)'x');
            Sent += buffer.Length;
            return buffer.Length;
        }

        public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));
    }
}
