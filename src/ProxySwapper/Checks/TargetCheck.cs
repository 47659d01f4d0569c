using System.Text;
using ProxySwapper.Configuration;
using ProxySwapper.Population.Downstream;
using ProxySwapper.Registries;

namespace ProxySwapper.Checks;

/// <summary>Whether we may read and write at the target registries of the rules.</summary>
internal static class TargetCheck
{
    private const int MaximumSize = 1024 * 1024;

    /// <summary>Long enough for several registries that do not respond, within the deadline of the chart's test.</summary>
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(60);

    /// <summary>The checks in a running program's <c>/readyz?verbose</c> that matter here.</summary>
    private static readonly string[] ReportedChecks = ["downstream", "watch", "certificate", "issued certificate", "admission policy"];

    /// <summary>Checks each registry with the credentials of this process.</summary>
    public static async Task CheckRegistriesAsync(
        CheckReport report,
        ProxySwapperOptions options,
        RegistryServices registries,
        CancellationToken cancellationToken
    )
    {
        foreach (var (outcome, text) in await new AccessSurvey(registries, TimeProvider.System).RunAsync(options, cancellationToken))
            Add(report, outcome, text);
    }

    /// <summary>Asks the running program, which has the identity that matters.</summary>
    /// <param name="report">Receives the findings.</param>
    /// <param name="management">Its management port, for instance <c>http://proxyswapper-test:9090</c>.</param>
    /// <param name="cancellationToken">Ends it.</param>
    public static async Task ReadAsync(CheckReport report, Uri management, CancellationToken cancellationToken)
    {
        using var client = new HttpClient { Timeout = Timeout, MaxResponseContentBufferSize = MaximumSize };
        try
        {
            // The program queries the registries now: /readyz is up to five minutes old, and does not cover targets without a path.
            using var access = await client.GetAsync(new Uri(management, "/access"), cancellationToken);
            if (access.IsSuccessStatusCode)
                ReportAccess(report, await TextOfAsync(access, cancellationToken));
            else
                report.Failed($"the program does not check the registries: GET {management}access: HTTP {(int)access.StatusCode}");
            using var readiness = await client.GetAsync(new Uri(management, "/readyz?verbose"), cancellationToken);
            ReportReadiness(report, await TextOfAsync(readiness, cancellationToken));
        }
        catch (Exception problem)
            when (problem is HttpRequestException or TaskCanceledException && !cancellationToken.IsCancellationRequested)
        {
            report.Failed($"the program does not respond at {management}: {problem.Message}");
        }
    }

    private static async Task<string> TextOfAsync(HttpResponseMessage response, CancellationToken cancellationToken) =>
        Encoding.UTF8.GetString(await response.Content.ReadAsByteArrayAsync(cancellationToken));

    private static void ReportAccess(CheckReport report, string text)
    {
        foreach (var line in LinesOf(text))
        {
            var outcome =
                line.StartsWith("[+]", StringComparison.Ordinal) ? AccessOutcome.Granted
                : line.StartsWith("[!]", StringComparison.Ordinal) ? AccessOutcome.Unknown
                : AccessOutcome.Failed;
            Add(report, outcome, line[3..].TrimStart());
        }
    }

    private static void Add(CheckReport report, AccessOutcome outcome, string text)
    {
        if (outcome == AccessOutcome.Granted)
            report.Passed(text);
        else if (outcome == AccessOutcome.Failed)
            report.Failed(text);
        else
            report.Warned(text);
    }

    private static void ReportReadiness(CheckReport report, string text)
    {
        foreach (var line in LinesOf(text))
        {
            var check = line[3..];
            var name = check.Split(':')[0];
            if (line.StartsWith("[-]", StringComparison.Ordinal) || name.Length < check.Length && ReportedChecks.Contains(name))
                report.Failed(check);
            else
                report.Passed(check);
        }
    }

    private static IEnumerable<string> LinesOf(string text) => text.Split('\n').Where(line => line.Length > 3 && line.StartsWith('['));
}
