using ProxySwapper.Configuration;
using ProxySwapper.Population.Downstream;
using ProxySwapper.Population.Queue;
using ProxySwapper.Registries;

namespace ProxySwapper.Checks;

/// <summary>Whether the registries that the rules send images to let us read and write.</summary>
internal static class TargetCheck
{
    /// <summary>What is asked about where a rule names no path.</summary>
    private const string AnyRepository = "proxyswapper-access-check";

    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(30);

    /// <summary>The checks of a running program, by its <c>/readyz?verbose</c>, that say more than that it runs.</summary>
    private static readonly string[] TellingChecks = ["downstream", "watch", "certificate", "issued certificate", "admission policy"];

    /// <summary>Asks each registry with the credentials of this process.</summary>
    public static async Task AskAsync(
        CheckReport report,
        ProxySwapperOptions options,
        RegistryServices registries,
        CancellationToken cancellationToken
    )
    {
        var access = new AccessCheck(registries);
        foreach (var (registry, repository) in AccessCheck.TargetsOf(options))
        {
            using var timeout = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
            timeout.CancelAfter(Timeout);
            try
            {
                await access.AskAsync(registry, repository ?? AnyRepository, timeout.Token);
                report.Passed($"{registry} lets us read and write{(repository is null ? "" : $" in {repository}")}");
            }
            catch (Exception problem) when (FailureClassifier.IsExpected(problem))
            {
                report.Failed($"{registry}: {problem.Message}");
            }
            catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
            {
                report.Failed($"{registry}: no answer within {Timeout.TotalSeconds} s");
            }
        }
    }

    /// <summary>Asks the running program, which has the identity that counts.</summary>
    /// <param name="report">Gets what it says.</param>
    /// <param name="management">Its management port, for instance <c>http://proxyswapper-test:9090</c>.</param>
    /// <param name="cancellationToken">Ends it.</param>
    public static async Task ReadAsync(CheckReport report, Uri management, CancellationToken cancellationToken)
    {
        using var client = new HttpClient { Timeout = Timeout };
        string text;
        try
        {
            using var response = await client.GetAsync(new Uri(management, "/readyz?verbose"), cancellationToken);
            text = await response.Content.ReadAsStringAsync(cancellationToken);
        }
        catch (Exception problem)
            when (problem is HttpRequestException or TaskCanceledException && !cancellationToken.IsCancellationRequested)
        {
            report.Failed($"the program does not answer at {management}: {problem.Message}");
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
