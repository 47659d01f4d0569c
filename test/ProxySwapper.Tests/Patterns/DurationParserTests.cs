using ProxySwapper.Patterns;

namespace ProxySwapper.Tests.Patterns;

[TestFixture]
internal sealed class DurationParserTests
{
    [TestCase("500ms", 500), TestCase("8s", 8000), TestCase("1m30s", 90_000), TestCase("1.5h", 5_400_000), TestCase("0", 0)]
    public void Durations_are_read(string text, double milliseconds) =>
        Assert.That(DurationParser.TryParse(text, out var duration) ? duration.TotalMilliseconds : -1, Is.EqualTo(milliseconds));

    [TestCase(""), TestCase("8"), TestCase("s"), TestCase("8 s"), TestCase("-1s"), TestCase("1d"), TestCase("99999999999999h")]
    [TestCase("128000000h128000000h128000000h", Description = "Each part fits, the sum does not.")]
    public void Invalid_durations_are_rejected(string text) => Assert.That(DurationParser.TryParse(text, out _), Is.False);
}
