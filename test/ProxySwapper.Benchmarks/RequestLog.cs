using System.Text.RegularExpressions;
using ProxySwapper.Testing.Registries;

namespace ProxySwapper.Benchmarks;

/// <summary>Counts what real registries were asked, by their own access logs.</summary>
internal sealed partial class RequestLog(params IReadOnlyList<DebianRegistry> registries)
{
    private static readonly TimeSpan Settled = TimeSpan.FromMilliseconds(300);

    /// <summary>Requests during some work, at all the registries.</summary>
    public async Task<int> CountAsync(Func<Task> work)
    {
        var before = await CountAsync();
        await work();
        return await CountAsync() - before;
    }

    /// <summary>An access log is written a little after the answer.</summary>
    private async Task<int> CountAsync()
    {
        await Task.Delay(Settled, TimeProvider.System);
        return registries.Sum(registry => Request().Count(registry.Output));
    }

    [GeneratedRegex("\"[A-Z]+ /v2/[^\"]* HTTP/1\\.1\"")]
    private static partial Regex Request();
}
