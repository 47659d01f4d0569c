using Microsoft.AspNetCore.Http;
using ProxySwapper.IntegrationTests.Swap;
using ProxySwapper.Registry.InMemory;
using ProxySwapper.Testing.Processes;

namespace ProxySwapper.IntegrationTests.Checks;

/// <content>Registries that reject our login.</content>
internal sealed partial class CheckTests
{
    [Test]
    public async Task A_registry_that_fails_is_reported()
    {
        await using var webhook = await ProxySwapperProcess.StartAsync("proxyUrl: registry.invalid\nproxyHealth: {fallback: false}");
        await _cluster.KubectlWithInputAsync(WebhookRegistration.Manifest(webhook, _namespace), "apply", "-f", "-");
        var result = await ProxySwapperProgram.RunAsync(
            ["check", "--config", webhook.ConfigurationFile, "-n", _namespace],
            ("KUBECONFIG", _cluster.Kubeconfig)
        );
        Assert.That((result.ExitCode, result.Output), Is.EqualTo((1, result.Output)));
        Assert.That(
            result.Output,
            Does.Contain("-> registry.invalid/")
                .And.Contain("[-] registry.invalid: ")
                .And.Not.Contain("no response within")
                .And.EndWith("The check failed.\n")
        );
    }

    /// <summary>The first rule is the README's installation: a target without a path, which no Pod has used yet.</summary>
    [Test]
    public async Task A_registry_that_does_not_let_the_running_program_write_is_reported_at_once()
    {
        await using var registry = await InMemoryRegistry.StartAsync(
            new()
            {
                Interceptor = (context, next) =>
                {
                    if (context.Request.Method != "POST")
                        return next(context);
                    context.Response.StatusCode = 403;
                    return context.Response.WriteAsync("""{"errors":[{"code":"DENIED","message":"the robot may only pull"}]}""");
                },
            }
        );
        await using var webhook = await ProxySwapperProcess.StartAsync(
            $$"""
            rules:
              - {match: docker.io, target: {{registry.Address}}}
              - {match: quay.io, target: {{_registry.Address}}/quay, populate: false}
            registries: [{host: "{{registry.Address}}", plainHttp: true}, {host: "{{_registry.Address}}", plainHttp: true}]
            """,
            new Dictionary<string, string> { ["KUBECONFIG"] = _cluster.Kubeconfig }
        );
        await _cluster.KubectlWithInputAsync(WebhookRegistration.Manifest(webhook, _namespace), "apply", "-f", "-");
        var result = await ProxySwapperProgram.RunAsync(
            ["check", "--config", webhook.ConfigurationFile, "-n", _namespace, $"--management=http://localhost:{webhook.ManagementPort}"],
            ("KUBECONFIG", _cluster.Kubeconfig)
        );
        Assert.That(result.ExitCode, Is.EqualTo(1), result.Output + result.Error);
        Assert.That(
            result.Output,
            Does.Contain($"-> {registry.Address}/proxyswapper-check/")
                .And.Contain($"[-] {registry.Address}: it rejects our login: ")
                .And.Contain("the robot may only pull")
                .And.Contain($"[+] reading is allowed at {_registry.Address} in quay/")
                .And.Contain("writing is not checked, since nothing is copied there")
                .And.EndWith("The check failed.\n")
        );
    }
}
