using System.Text;
using ProxySwapper.Configuration;
using ProxySwapper.Population.Downstream;
using ProxySwapper.Population.Queue;
using ProxySwapper.Registries;
using ProxySwapper.Registry.Timing;

namespace ProxySwapper.Checks;

/// <summary>Whether we may read and write at the target registries of the rules.</summary>
internal static class TargetCheck
{
    /// <summary>The repository to check if a rule has no path.</summary>
    private const string AnyRepository = "proxyswapper-access-check";

    private const int MaximumSize = 1024 * 1024;

    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(30);

    /// <summary>The checks in a running program's <c>/readyz?verbose</c> that matter here.</summary>
    private static readonly string[] TellingChecks = ["downstream", "watch", "certificate", "issued certificate", "admission policy"];

    /// <summary>Checks each registry with the credentials of this process.</summary>
    public static async Task AskAsync(
        CheckReport report,
        ProxySwapperOptions options,
        RegistryServices registries,
        CancellationToken cancellationToken
    )
    {
        var access = new AccessCheck(registries);
        foreach (var (registry, _, repository) in AccessCheck.TargetsOf(options))
        {
            using var timeout = new OperationTimeout(Timeout, TimeProvider.System, cancellationToken);
            try
            {
                await access.AskAsync(registry, repository ?? AnyRepository, timeout.Token);
                report.Passed($"reading and writing is allowed at {registry}{(repository is null ? "" : $" in {repository}")}");
            }
            catch (Exception problem) when (FailureClassifier.IsExpected(problem))
            {
                report.Failed($"{registry}: {problem.Message}");
            }
            catch (OperationCanceledException) when (timeout.HasPassed)
            {
                report.Failed($"{registry}: {timeout.Reason}");
            }
        }
    }

    /// <summary>Asks the running program, which has the identity that matters.</summary>
    /// <param name="report">Receives the findings.</param>
    /// <param name="management">Its management port, for instance <c>http://proxyswapper-test:9090</c>.</param>
    /// <param name="cancellationToken">Ends it.</param>
    public static async Task ReadAsync(CheckReport report, Uri management, CancellationToken cancellationToken)
    {
        using var client = new HttpClient { Timeout = Timeout, MaxResponseContentBufferSize = MaximumSize };
        string text;
        try
        {
            using var response = await client.GetAsync(new Uri(management, "/readyz?verbose"), cancellationToken);
            text = Encoding.UTF8.GetString(await response.Content.ReadAsByteArrayAsync(cancellationToken));
        }
        catch (Exception problem)
            when (problem is HttpRequestException or TaskCanceledException && !cancellationToken.IsCancellationRequested)
        {
            report.Failed($"the program does not respond at {management}: {problem.Message}");
            return;
        }
        foreach (var line in text.Split('\n').Where(line => line.StartsWith('[')))
        {
            var check = line[3..];
            var name = check.Split(':')[0];
            if (line.StartsWith("[-]", StringComparison.Ordinal) || name.Length < check.Length && TellingChecks.Contains(name))
                report.Failed(check);
            else
                report.Passed(check);
        }
    }
}
