using Microsoft.AspNetCore.Http;
using ProxySwapper.Checks;
using ProxySwapper.Registry.InMemory;

namespace ProxySwapper.Tests.Checks;

/// <summary>What <c>check --management</c> makes of a running program's responses; an interceptor responds as the program.</summary>
[TestFixture]
internal sealed class TargetCheckTests
{
    private const string Ready = "[+]downstream ok\n[+]watch ok\n[+]started ok\nready\n";

    [TestCase("[+] writing is allowed at r.example in hub/x\n", Ready, false, "[+] writing is allowed at r.example in hub/x")]
    [TestCase("[-] r.example: it rejects our login: forbidden (HTTP 403)\n", Ready, true, "[-] r.example: it rejects our login: forbidden")]
    [TestCase("[!] not checked: r.example in x: nothing is copied there\n", Ready, false, "[!] not checked: r.example in x")]
    [TestCase("", "[-]downstream: r.example is failing\n", true, "[-] downstream: r.example is failing")]
    [TestCase("", "[+]downstream: r.example is failing: bad gateway\n", true, "[-] downstream: r.example is failing: bad gateway")]
    [TestCase("", "[+]watch: not connected\n", true, "[-] watch: not connected")]
    [TestCase("", "[+]reload: the file has an error\n", false, "[+] reload: the file has an error")]
    [TestCase("", "[-]started: warming up\n", true, "[-] started: warming up")]
    [TestCase(null, Ready, true, "[-] the program does not check the registries: GET http://")]
    public async Task Each_line_passes_fails_or_warns(string? access, string readiness, bool hasFailed, string expected)
    {
        await using var program = await InMemoryRegistry.StartAsync(
            new()
            {
                Interceptor = async (context, _) =>
                {
                    var text = context.Request.Path == "/readyz" ? readiness : access;
                    context.Response.StatusCode = text is null ? 404 : 200;
                    await context.Response.WriteAsync(text ?? "");
                },
            }
        );
        using var output = new StringWriter();
        var report = new CheckReport(output);
        await TargetCheck.ReadAsync(report, new Uri($"http://{program.Address}"), default);
        Assert.That((report.HasFailed, output.ToString()), Is.EqualTo((hasFailed, output.ToString())));
        Assert.That(output.ToString(), Does.Contain(expected));
    }
}
