using ProxySwapper.Testing.Processes;

namespace ProxySwapper.Tests;

/// <summary>What a developer's shell has set for a cloud does not reach the program under test.</summary>
[TestFixture]
internal sealed class ProxySwapperProgramTests
{
    [Test]
    public void Variables_of_clouds_are_removed()
    {
        var environment = new Dictionary<string, string?>
        {
            ["AWS_PROFILE"] = "work",
            ["AZURE_TENANT_ID"] = "1",
            ["GOOGLE_APPLICATION_CREDENTIALS"] = "/key.json",
            ["HOME"] = "/home/me",
        };
        ProxySwapperProgram.RemoveClouds(environment);
        Assert.That(environment.Keys, Is.EqualTo(["HOME"]));
    }

    [Test]
    public void Those_of_a_test_are_set()
    {
        var start = ProxySwapperProgram.StartInfo(["copy"], ("AWS_REGION", "eu-central-1"), ("HOME", null));
        Assert.That(start.Environment.Where(pair => pair.Key.StartsWith("AWS_", StringComparison.Ordinal)), Has.Exactly(1).Items);
        Assert.That((start.Environment["AWS_REGION"], start.Environment["HOME"]), Is.EqualTo(("eu-central-1", (string?)null)));
    }
}
