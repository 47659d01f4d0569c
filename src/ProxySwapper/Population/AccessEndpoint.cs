using System.Text;
using ProxySwapper.Management;
using ProxySwapper.Population.Downstream;
using ProxySwapper.Population.Transfer;
using ProxySwapper.Registry.Timing;
using ProxySwapper.Rules;

namespace ProxySwapper.Population;

/// <summary>
/// <c>GET /access</c> of the management port: checks our access to all targets of the rules, one line per repository: <c>[+] …</c> if we
/// may do what we need, <c>[-] …</c> if not, <c>[!] …</c> if it could not be checked. Open like <c>/readyz</c>, since <c>helm test</c>
/// reads it; however often it is called, registries are queried once at a time, and at most every few seconds.
/// </summary>
internal sealed class AccessEndpoint(RegistryConnections connections, ConfigurationMonitor rules, TimeProvider time) : IManagementPage
{
    private static readonly TimeSpan Kept = TimeSpan.FromSeconds(5);

    private readonly SteadyClock _clock = new(time);
    private readonly AccessSurvey _survey = new(connections.ForLookups, time);
    private readonly SingleFlight<RuleSet, string> _runs = new();
    private volatile Result? _last;

    public string Path => "/access";

    public bool IsOpen => true;

    public async Task RespondAsync(HttpContext context)
    {
        var current = rules.Current;
        var text =
            _last is { } last && last.Rules == current && _clock.UtcNow - last.At < Kept
                ? last.Text
                : await _runs.RunAsync(current, () => RunAsync(current), context.RequestAborted);
        context.Response.ContentType = "text/plain; charset=utf-8";
        await context.Response.WriteAsync(text, context.RequestAborted);
    }

    private async Task<string> RunAsync(RuleSet current)
    {
        var text = new StringBuilder();
        foreach (var (outcome, finding) in await _survey.RunAsync(current.Options, CancellationToken.None))
            text.Append(MarkOf(outcome)).Append(finding.ReplaceLineEndings(" ")).Append('\n');
        _last = new Result(current, text.ToString(), _clock.UtcNow);
        return _last.Text;
    }

    private static string MarkOf(AccessOutcome outcome) =>
        outcome switch
        {
            AccessOutcome.Granted => "[+] ",
            AccessOutcome.Failed => "[-] ",
            _ => "[!] ",
        };

    private sealed record Result(RuleSet Rules, string Text, DateTimeOffset At);
}
