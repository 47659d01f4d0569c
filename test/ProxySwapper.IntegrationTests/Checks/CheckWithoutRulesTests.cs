using ProxySwapper.Testing.Processes;

namespace ProxySwapper.IntegrationTests.Checks;

/// <summary><c>check</c> where there is nothing to check.</summary>
[TestFixture]
internal sealed class CheckWithoutRulesTests
{
    [Test]
    public async Task Nothing_that_was_checked_is_no_success()
    {
        using var folder = new TemporaryFolder();
        var kubeconfig = folder.Write(
            "kubeconfig",
            """
            {apiVersion: v1, kind: Config, current-context: x, contexts: [{name: x, context: {cluster: c, user: u}}],
             clusters: [{name: c, cluster: {server: 'https://127.0.0.1:1'}}], users: [{name: u, user: {token: t}}]}
            """
        );
        var result = await ProxySwapperProgram.RunAsync(["check"], ("KUBECONFIG", kubeconfig));
        Assert.That((result.ExitCode, result.Error), Is.EqualTo((1, "")), result.Output);
        Assert.That(
            result.Output,
            Does.Contain("[!] no Pod is tested: ")
                .And.Contain("[-] nothing was checked: name the webhook's configuration with --config, an image with --image, or ")
                .And.EndWith("The check failed.\n")
        );
    }
}
