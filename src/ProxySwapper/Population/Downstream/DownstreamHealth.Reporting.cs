using System.Diagnostics.Metrics;
using ProxySwapper.Configuration;

namespace ProxySwapper.Population.Downstream;

/// <content>Metrics, log and Events.</content>
internal sealed partial class DownstreamHealth
{
    private void CreateGauges(Meter meter)
    {
        meter.CreateObservableGauge(
            "proxyswapper_downstream_up",
            () => Snapshot().Where(state => state.CheckedAt is not null).Select(state => Measure(state, state.Failure is null)),
            description: "Whether a registry that images are rewritten to responds and accepts our credentials."
        );
        meter.CreateObservableGauge(
            "proxyswapper_downstream_access",
            () =>
                Snapshot()
                    .Where(state => state.Access != DownstreamAccess.Unknown)
                    .Select(state => Measure(state, state.Access == DownstreamAccess.Granted)),
            description: "1 if a downstream registry allowed reads and writes at the last check, 0 if it denied them; absent if unknown."
        );

        static Measurement<int> Measure(DownstreamState state, bool isTrue) =>
            new(isTrue ? 1 : 0, new KeyValuePair<string, object?>("registry", state.Registry.Text));
    }

    private IEnumerable<string> DescribeFaults(RegistryHealth health, ProxySwapperOptions options)
    {
        if (health.Fault is { } fault)
            yield return Description(health.Registry.Text, fault, FallsBack(options));
        foreach (var target in health.Targets)
            if (target.Fault is { } rejection)
                yield return Description(target.Name, rejection, FallsBackIfDenied(options));

        static string Description(string name, string fault, bool fallsBack) =>
            $"{name} is failing{(fallsBack ? ", its images are left unchanged" : "")}: {fault}";
    }

    private void Report(string name, string? fault, bool fallsBack, CancellationToken cancellationToken)
    {
        if (fault is null)
            Log.Recovered(logger, name);
        else
            Log.Failing(
                logger,
                name,
                fault,
                fallsBack
                    ? "its images are left unchanged until it recovers"
                    : "its images are still rewritten (proxyHealth.fallback is off)"
            );
        // Not awaited: a slow API server must not delay the checks.
        _ = events.ReportAsync(name, fault, fallsBack, cancellationToken);
    }

    private static partial class Log
    {
        [LoggerMessage(1, LogLevel.Error, "{Registry} is failing: {Fault}; {Consequence}")]
        public static partial void Failing(ILogger logger, string registry, string fault, string consequence);

        [LoggerMessage(2, LogLevel.Information, "{Registry} has recovered")]
        public static partial void Recovered(ILogger logger, string registry);
    }
}
