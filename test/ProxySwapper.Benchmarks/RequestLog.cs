using System.Text.RegularExpressions;
using ProxySwapper.Testing.Registries;

namespace ProxySwapper.Benchmarks;

/// <summary>Counts the requests to real registries, from their access logs.</summary>
internal sealed partial class RequestLog(params IReadOnlyList<DebianRegistry> registries)
{
    private static readonly TimeSpan Settled = TimeSpan.FromMilliseconds(300);

    /// <summary>The number of requests to all registries while work runs.</summary>
    public async Task<int> CountAsync(Func<Task> work)
    {
        var before = await CountAsync();
        await work();
        return await CountAsync() - before;
    }

    /// <summary>Access logs are written shortly after the response.</summary>
    private async Task<int> CountAsync()
    {
        await Task.Delay(Settled, TimeProvider.System);
        return registries.Sum(registry => Request().Count(registry.Output));
    }

    [GeneratedRegex("\"[A-Z]+ /v2/[^\"]* HTTP/1\\.1\"")]
    private static partial Regex Request();
}
