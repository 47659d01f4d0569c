using ProxySwapper.Registry;

namespace ProxySwapper.Tests.Registry;

[TestFixture]
internal sealed class CountFormatTests
{
    [TestCase(0, "0 gated Pods")]
    [TestCase(1, "1 gated Pod")]
    [TestCase(2, "2 gated Pods")]
    [TestCase(12_345, "12345 gated Pods")]
    public void One_thing_is_singular(long count, string text) => Assert.That(CountFormat.Format(count, "gated Pod"), Is.EqualTo(text));
}
