using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using System.Net;
using ProxySwapper.Configuration;
using ProxySwapper.Management;
using ProxySwapper.Population.Cluster;
using ProxySwapper.Population.Queue;
using ProxySwapper.Registry.Timing;
using ProxySwapper.Registry.Transport;
using ProxySwapper.Rules;

namespace ProxySwapper.Population.Downstream;

/// <summary>
/// Detects failing downstream registries by an occasional cheap request, every few seconds while one fails. With
/// <c>proxyHealth.fallback</c>, images are left unchanged in the meantime.
/// </summary>
/// <param name="ping">Pings a registry.</param>
/// <param name="checkAccess">Checks whether we may read and write in a repository.</param>
/// <param name="hasGates">Tells whether Pods can be gated.</param>
/// <param name="rules">The current configuration.</param>
/// <param name="announcer">Writes Events.</param>
/// <param name="meters">Creates the meter of <c>proxyswapper_downstream_up</c>.</param>
/// <param name="time">The clock.</param>
/// <param name="logger">The log.</param>
internal sealed partial class DownstreamHealth(
    Func<string, CancellationToken, Task> ping,
    Func<string, string, CancellationToken, Task> checkAccess,
    Func<bool> hasGates,
    ConfigurationMonitor rules,
    HealthEvents announcer,
    IMeterFactory meters,
    TimeProvider time,
    ILogger<DownstreamHealth> logger
) : BackgroundService, IReadinessCheck
{
    /// <summary>Healthy registries are checked this much less often than failing ones.</summary>
    private const int CalmFactor = 6;
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(5);

    private readonly ConcurrentDictionary<string, RegistryHealth> _registries = new(StringComparer.Ordinal);
    private static readonly TimeSpan AccessInterval = TimeSpan.FromMinutes(5);

    private readonly AsyncSignal _wake = new(time);
    private RuleSet? _watched;
    private volatile bool _anyFails;

    public string CheckName => "downstream";

    public ReadinessState State => new(true, Describe());

    /// <summary>Whether images are left unchanged because of a failing registry.</summary>
    public bool IsFallingBack => _anyFails && FallsBack;

    /// <summary>Why a registry is failing, if images are left unchanged for that; otherwise null.</summary>
    public string? FailureOf(string registry) => IsFallingBack && _registries.TryGetValue(registry, out var health) ? health.Fault : null;

    /// <summary>Starts monitoring a registry that images are rewritten to. Free if it is already monitored.</summary>
    public void Watch(string registry)
    {
        if (!_registries.ContainsKey(registry) && _registries.TryAdd(registry, new RegistryHealth(registry)))
            _wake.Raise();
    }

    /// <summary>Starts monitoring our access to a repository that images are copied to.</summary>
    public void Watch(string registry, string repository)
    {
        Watch(registry);
        _registries[registry].AddRepository(repository, isOfRules: false);
    }

    /// <summary>Another component saw a registry fail: checks it at once.</summary>
    public void Suspect(string registry)
    {
        if (!_registries.TryGetValue(registry, out var health) || health.Failures > 0)
            return;
        health.NextLook = health.NextAccessCheck = time.GetUtcNow();
        _wake.Raise();
    }

    /// <summary>A message for the operator; empty if all is well.</summary>
    public string Describe() =>
        string.Join(
            "; ",
            _registries
                .Values.Where(health => health.Fault is not null)
                .Select(health => $"{health.Registry} is failing{(FallsBack ? ", its images are left unchanged" : "")}: {health.Fault}")
        );

    /// <summary>The monitored registries, by name.</summary>
    public IReadOnlyList<DownstreamState> Snapshot() =>
        [.. _registries.Values.Select(health => health.State).OrderBy(state => state.Registry, StringComparer.Ordinal)];

    /// <summary>Checks all registries that are due.</summary>
    /// <returns>When the next one is due, or null if there is none.</returns>
    internal async Task<DateTimeOffset?> LookAsync(CancellationToken cancellationToken)
    {
        var now = time.GetUtcNow();
        WatchTargets();
        await Task.WhenAll(
            _registries.Values.Where(health => health.NextLook <= now).Select(health => LookAsync(health, cancellationToken))
        );
        return _registries.IsEmpty ? null : _registries.Values.Min(health => health.NextLook);
    }

    protected override Task ExecuteAsync(CancellationToken stoppingToken)
    {
        CreateGauges(meters.Create("ProxySwapper"));
        return BackgroundWork.KeepRunningAsync(WorkAsync, time, logger, stoppingToken);
    }

    private async Task WorkAsync(CancellationToken stoppingToken)
    {
        try
        {
            while (true)
            {
                var change = _wake.Next;
                var next = await LookAsync(stoppingToken);
                await _wake.WaitAsync(change, next, stoppingToken);
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // Shutting down.
        }
    }

    private void CreateGauges(Meter meter)
    {
        meter.CreateObservableGauge(
            "proxyswapper_downstream_up",
            () => Snapshot().Where(state => state.LookedAt is not null).Select(state => Measure(state, state.Failure is null)),
            description: "Whether a registry that images are rewritten to responds and accepts our credentials."
        );
        meter.CreateObservableGauge(
            "proxyswapper_downstream_access",
            () =>
                Snapshot()
                    .Where(state => state.Access != DownstreamAccess.Unknown)
                    .Select(state => Measure(state, state.Access == DownstreamAccess.Granted)),
            description: "1 if a downstream registry let us read and write when it was last asked, 0 if it refused; absent if not known."
        );

        static Measurement<int> Measure(DownstreamState state, bool isTrue) =>
            new(isTrue ? 1 : 0, new KeyValuePair<string, object?>("registry", state.Registry));
    }

    private bool FallsBack =>
        rules.Current.Options is var options
        && (
            options.ProxyHealth.Fallback
            ?? (
                options.SwapPolicy == SwapPolicy.Exists
                || options.Populate is { Policy: PopulatePolicy.Gate, Gate.OnFailure: GateFailurePolicy.Restore } && hasGates()
            )
        );

    /// <summary>The rules' registries are monitored before the first Pod arrives.</summary>
    private void WatchTargets()
    {
        var current = rules.Current;
        if (_watched == current)
            return;
        _watched = current;
        foreach (var (registry, repository) in AccessCheck.TargetsOf(current.Options))
        {
            Watch(registry);
            if (repository is not null)
                _registries[registry].AddRepository(repository, isOfRules: true);
        }
    }

    private async Task LookAsync(RegistryHealth health, CancellationToken cancellationToken)
    {
        var fault = await PingAsync(health.Registry, cancellationToken) ?? await AccessFaultAsync(health, cancellationToken);
        var isNews = fault is null ? health.Answered(time.GetUtcNow()) : health.Failed(fault, time.GetUtcNow());
        var interval = rules.Current.Options.ProxyHealth.Interval;
        health.NextLook = time.GetUtcNow() + (health.Failures > 0 ? interval : interval * CalmFactor);
        _anyFails = _registries.Values.Any(each => each.Fault is not null);
        if (!isNews)
            return;
        if (fault is null)
            Log.Recovered(logger, health.Registry);
        else
            Log.Failing(
                logger,
                health.Registry,
                fault,
                FallsBack
                    ? "its images are left unchanged until it recovers"
                    : "its images are still rewritten (proxyHealth.fallback is off)"
            );
        // Not awaited: a slow API server must not delay the checks.
        _ = announcer.TellAsync(health.Registry, fault, FallsBack, cancellationToken);
    }

    /// <summary>Null if the registry responds, even if it rejects our credentials: nodes have their own.</summary>
    private async Task<string?> PingAsync(string registry, CancellationToken cancellationToken)
    {
        using var timeout = new OperationTimeout(Timeout, time, cancellationToken);
        try
        {
            await ping(registry, timeout.Token);
            return null;
        }
        catch (RegistryException fault) when (fault.Status is { } status && status < HttpStatusCode.InternalServerError)
        {
            return null;
        }
        catch (Exception fault) when (FailureClassifier.IsExpected(fault))
        {
            return fault.Message;
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return $"no response within {Timeout.TotalSeconds} s";
        }
    }

    /// <summary>Why our access is denied, or null: an unknown result is not a denial.</summary>
    private async Task<string?> AccessFaultAsync(RegistryHealth health, CancellationToken cancellationToken)
    {
        if (rules.Current.Options.Populate.Policy == PopulatePolicy.None)
        {
            health.Accessed(DownstreamAccess.Unknown);
            return null;
        }
        if (health.NextAccessCheck > time.GetUtcNow())
            return health.AccessFault;
        var (access, denial) = (DownstreamAccess.Unknown, (string?)null);
        foreach (var repository in health.Repositories)
        {
            (access, denial) = await AccessOfAsync(health.Registry, repository, cancellationToken);
            if (denial is null)
                break;
        }
        // A registry that denies access is checked again in each round.
        if (denial is null)
            health.NextAccessCheck = time.GetUtcNow() + AccessInterval;
        health.Accessed(access, denial);
        return denial;
    }

    private async Task<(DownstreamAccess Access, string? Denial)> AccessOfAsync(
        string registry,
        string repository,
        CancellationToken cancellationToken
    )
    {
        using var timeout = new OperationTimeout(Timeout, time, cancellationToken);
        try
        {
            await checkAccess(registry, repository, timeout.Token);
            return (DownstreamAccess.Granted, null);
        }
        catch (RegistryException problem) when (AccessCheck.IsDenial(problem, registry))
        {
            return (DownstreamAccess.Refused, $"it rejects our login: {problem.Message}");
        }
        catch (Exception problem) when (FailureClassifier.IsExpected(problem))
        {
            return (DownstreamAccess.Unknown, null);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return (DownstreamAccess.Unknown, null);
        }
    }

    private static partial class Log
    {
        [LoggerMessage(1, LogLevel.Error, "{Registry} is failing: {Fault}; {Consequence}")]
        public static partial void Failing(ILogger logger, string registry, string fault, string consequence);

        [LoggerMessage(2, LogLevel.Information, "{Registry} has recovered")]
        public static partial void Recovered(ILogger logger, string registry);
    }
}
