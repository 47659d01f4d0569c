using System.Text;
using ProxySwapper.Admission.Json;

namespace ProxySwapper.Tests.Admission.Json;

[TestFixture]
internal sealed class StringPoolTests
{
    [Test]
    public void A_repeated_text_is_the_same_object()
    {
        var cache = new StringPool();
        var first = cache.TextOf("docker.io/library/nginx:1.25"u8);
        Assert.Multiple(() =>
        {
            Assert.That(first, Is.EqualTo("docker.io/library/nginx:1.25"));
            Assert.That(cache.TextOf("docker.io/library/nginx:1.25"u8), Is.SameAs(first));
        });
    }

    [Test]
    public void Texts_are_never_mixed_up_by_concurrent_threads()
    {
        var cache = new StringPool();
        Parallel.For(
            0,
            8,
            _ =>
            {
                for (var round = 0; round < 3; round++)
                for (var number = 0; number < 5000; number++)
                    if (cache.TextOf(Encoding.ASCII.GetBytes($"image{number}")) != $"image{number}")
                        Assert.Fail($"image{number} is another text");
            }
        );
    }

    [Test]
    public void Non_ASCII_and_long_texts_are_not_cached() =>
        Assert.Multiple(() =>
        {
            var cache = new StringPool();
            Assert.That(cache.TextOf("é"u8), Is.Null);
            Assert.That(cache.TextOf([0xFF]), Is.Null);
            Assert.That(cache.TextOf(new byte[129]), Is.Null);
            Assert.That(cache.TextOf(new byte[128]), Has.Length.EqualTo(128));
            Assert.That(cache.TextOf([]), Is.Empty);
        });
}
