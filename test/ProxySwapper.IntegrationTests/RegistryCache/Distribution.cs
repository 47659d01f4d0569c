using System.ComponentModel;
using ProxySwapper.Testing.Processes;
using ProxySwapper.Testing.Time;

namespace ProxySwapper.IntegrationTests.RegistryCache;

/// <summary>CNCF Distribution on this machine.</summary>
internal static class Distribution
{
    private const string Three = "registry";

    /// <summary>Whether version 3, the one that the chart installs, is on the PATH as <c>registry</c>.</summary>
    public static async Task<bool> IsThreeHereAsync()
    {
        try
        {
            return (await TestProcess.RunAsync(Three, ["--version"])).Output.Contains("/v3 ", StringComparison.Ordinal);
        }
        catch (Win32Exception)
        {
            return false;
        }
    }

    /// <summary>
    /// Runs a rendered configuration with version 3 if available, otherwise with Debian's 2.8, which reads the same file and ignores
    /// <c>proxy.exec</c>.
    /// </summary>
    public static async Task<TestProcess> StartAsync(RenderedCache cache)
    {
        var program = await IsThreeHereAsync() ? Three : "docker-registry";
        ForeignServer.Starting(program);
        var process = TestProcess.Start(program, ["serve", cache.ConfigurationFile], cache.Environment);
        using var client = new HttpClient();
        await TestWait.UntilAsync(
            async () =>
            {
                if (process.HasExited)
                    throw new InvalidOperationException($"{program} ended: {process.Output}");
                try
                {
                    using var response = await client.GetAsync(new Uri($"http://127.0.0.1:{cache.Port}/"));
                    return response.IsSuccessStatusCode;
                }
                catch (HttpRequestException)
                {
                    return false;
                }
            },
            $"{program}'s response"
        );
        return process;
    }
}
