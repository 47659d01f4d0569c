using System.Text.Json;
using ProxySwapper.Reporting;

namespace ProxySwapper.Tests.Reporting;

[TestFixture]
internal sealed class LabelSelectorTests
{
    [TestCase("{}", "a=1", ExpectedResult = true)]
    [TestCase("""{"matchLabels":{"a":"1"}}""", "a=1", ExpectedResult = true)]
    [TestCase("""{"matchLabels":{"a":"1"}}""", "a=2", ExpectedResult = false)]
    [TestCase("""{"matchExpressions":[{"key":"a","operator":"In","values":["1","2"]}]}""", "a=2", ExpectedResult = true)]
    [TestCase("""{"matchExpressions":[{"key":"a","operator":"In","values":["1"]}]}""", "", ExpectedResult = false)]
    [TestCase("""{"matchExpressions":[{"key":"a","operator":"NotIn","values":["1"]}]}""", "a=1", ExpectedResult = false)]
    [TestCase("""{"matchExpressions":[{"key":"a","operator":"NotIn","values":["1"]}]}""", "", ExpectedResult = true)]
    [TestCase("""{"matchExpressions":[{"key":"a","operator":"Exists"}]}""", "a=", ExpectedResult = true)]
    [TestCase("""{"matchExpressions":[{"key":"a","operator":"DoesNotExist"}]}""", "a=1", ExpectedResult = false)]
    [TestCase("""{"matchLabels":{"a":"1"},"matchExpressions":[{"key":"b","operator":"Exists"}]}""", "a=1", ExpectedResult = false)]
    public bool Matches_as_kubernetes_does(string selector, string labels)
    {
        using var document = JsonDocument.Parse(selector);
        var pairs = labels
            .Split(',', StringSplitOptions.RemoveEmptyEntries)
            .Select(pair => pair.Split('='))
            .ToDictionary(pair => pair[0], pair => pair[1]);
        return LabelSelector.Read(document.RootElement).IsMatch(pairs);
    }

    [Test]
    public void A_label_that_occurs_twice_has_its_last_value()
    {
        using var document = JsonDocument.Parse("""{"metadata":{"labels":{"a":"1","a":"2"}}}""");
        Assert.That(LabelSelector.LabelsOf(document.RootElement), Is.EqualTo(new Dictionary<string, string> { ["a"] = "2" }));
    }
}
