using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using ProxySwapper.Configuration;
using ProxySwapper.Management;
using ProxySwapper.Population.Cluster;
using ProxySwapper.Population.Queue;
using ProxySwapper.Registry;
using ProxySwapper.Registry.Timing;
using ProxySwapper.Rules;

namespace ProxySwapper.Population.Downstream;

/// <summary>
/// Detects failing downstream registries by an occasional cheap request, every few seconds while one fails. With
/// <c>proxyHealth.fallback</c>, images are left unchanged in the meantime.
/// </summary>
/// <param name="probe">Queries the registries.</param>
/// <param name="cluster">Whether Pods can be gated.</param>
/// <param name="rules">The current configuration.</param>
/// <param name="events">Writes Events.</param>
/// <param name="meters">Creates the meter of <c>proxyswapper_downstream_up</c>.</param>
/// <param name="time">The clock.</param>
/// <param name="logger">The log.</param>
internal sealed partial class DownstreamHealth(
    DownstreamProbe probe,
    ClusterCapabilities cluster,
    ConfigurationMonitor rules,
    HealthEvents events,
    IMeterFactory meters,
    TimeProvider time,
    ILogger<DownstreamHealth> logger
) : BackgroundService, IReadinessCheck
{
    /// <summary>Healthy registries are checked this much less often than failing ones.</summary>
    private const int HealthyIntervalFactor = 6;

    /// <summary>Targets of one registry that are checked at the same time.</summary>
    private const int ParallelChecks = 4;

    private static readonly TimeSpan AccessInterval = TimeSpan.FromMinutes(5);

    private readonly SteadyClock _clock = new(time);
    private readonly ConcurrentDictionary<RegistryName, RegistryHealth> _registries = new();

    private readonly AsyncSignal _wake = new(time);
    private readonly Lock _summary = new();
    private RuleSet? _watched;
    private volatile bool _anyFails;
    private volatile bool _anyDenies;

    public string CheckName => "downstream";

    public ReadinessState State => new(true, Describe());

    /// <summary>Whether images are left unchanged because of a failing registry.</summary>
    public bool IsFallingBack => IsFallingBackBy(rules.Current.Options);

    /// <summary>
    /// What is failing and why, if the images of a repository are left unchanged for that; otherwise null. The next check of a target that
    /// denies us access asks for this repository too.
    /// </summary>
    public string? FailureOf(RegistryName registry, string repository)
    {
        var options = rules.Current.Options;
        if (!IsFallingBackBy(options) || !_registries.TryGetValue(registry, out var health))
            return null;
        if (health.Fault is { } fault && FallsBack(options))
            return $"{registry} is failing: {fault}";
        var target = health.TargetOf(repository);
        if (target.Fault is not { } rejection || !FallsBackIfDenied(options))
            return null;
        // Nothing is copied there meanwhile, so this repository would never be checked: our login may have rights for it alone.
        target.AddRepository(repository);
        return $"{target.Name} is failing: {rejection}";
    }

    /// <summary>
    /// Whether a registry is failing or rejects our login at this repository, so that a copy is unlikely to succeed now; whatever that
    /// means for images.
    /// </summary>
    public bool IsFailing(RegistryName registry, string repository) =>
        _registries.TryGetValue(registry, out var health) && (health.Fault ?? health.TargetOf(repository).Fault) is not null;

    /// <summary>Starts monitoring a registry that images are rewritten to. Free if it is already monitored.</summary>
    public void Watch(RegistryName registry) => _ = Watched(registry);

    /// <summary>Starts monitoring our access to a repository that images are copied to: the first one of a target at once.</summary>
    public void Watch(RegistryName registry, string repository)
    {
        var health = Watched(registry);
        if (health.TargetOf(repository).AddRepository(repository))
            CheckNow(health);
    }

    /// <summary>Another component saw a registry fail: checks it at once.</summary>
    public void ReportFailure(RegistryName registry)
    {
        if (!_registries.TryGetValue(registry, out var health) || health.Failures > 0)
            return;
        foreach (var target in health.Targets)
            target.ReportDenial();
        CheckNow(health);
    }

    /// <summary>Another component was denied access to a repository: checks our access at once.</summary>
    public void ReportDenial(RegistryName registry, string repository)
    {
        if (!_registries.TryGetValue(registry, out var health))
            return;
        var target = health.TargetOf(repository);
        target.AddRepository(repository);
        if (target.ReportDenial())
            CheckNow(health);
    }

    /// <summary>A message for the operator; empty if all is well.</summary>
    public string Describe()
    {
        var options = rules.Current.Options;
        return string.Join("; ", _registries.Values.SelectMany(health => DescribeFaults(health, options)));
    }

    /// <summary>The monitored registries, by name.</summary>
    public IReadOnlyList<DownstreamState> Snapshot() =>
        [
            .. _registries
                .Values.Select(health => health.State)
                .OrderBy(state => state.Registry.Text, StringComparer.Ordinal)
                .Select(state => state with { CheckedAt = state.CheckedAt is { } at ? _clock.ToSystemTime(at) : null }),
        ];

    /// <summary>Checks all registries that are due.</summary>
    /// <returns>When the next one is due, or null if there is none.</returns>
    internal async Task<DateTimeOffset?> CheckAsync(CancellationToken cancellationToken)
    {
        await Task.WhenAll(StartDue(cancellationToken));
        return NextCheck;
    }

    /// <summary>When a registry that is not being checked is due; null if there is none.</summary>
    private DateTimeOffset? NextCheck =>
        _registries.Values.Where(health => !health.IsBeingChecked).Min(health => (DateTimeOffset?)health.NextCheck);

    /// <summary>Starts to check all registries that are due.</summary>
    private List<Task> StartDue(CancellationToken cancellationToken)
    {
        var now = _clock.UtcNow;
        WatchTargets();
        return [.. _registries.Values.Where(health => health.TakeDue(now)).Select(health => CheckAsync(health, cancellationToken))];
    }

    protected override Task ExecuteAsync(CancellationToken stoppingToken)
    {
        CreateGauges(meters.Create("ProxySwapper"));
        return BackgroundWork.KeepRunningAsync(WorkAsync, time, logger, stoppingToken);
    }

    private async Task WorkAsync(CancellationToken stoppingToken)
    {
        var running = new List<Task>();
        try
        {
            while (true)
            {
                var change = _wake.Next;
                foreach (var ended in running.FindAll(check => check.IsCompleted))
                {
                    running.Remove(ended);
                    await ended;
                }
                // Not awaited before they have ended: a registry that hangs must not delay the others.
                running.AddRange(StartDue(stoppingToken));
                await _wake.WaitAsync(change, NextCheck - _clock.UtcNow, stoppingToken);
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            await Task.WhenAll(running).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private bool IsFallingBackBy(ProxySwapperOptions options) =>
        _anyFails && FallsBack(options) || _anyDenies && FallsBackIfDenied(options);

    private bool FallsBack(ProxySwapperOptions options) =>
        options.ProxyHealth.Fallback
        ?? (
            options.SwapPolicy == SwapPolicy.Exists
            || options.Populate is { Policy: PopulatePolicy.Gate, Gate.OnFailure: GateFailurePolicy.Restore } && cluster.HasGates
        );

    /// <summary>
    /// Whether images are left unchanged while their target rejects our login. Nothing is copied there then, and a registry that is up may
    /// stay so for days: with any policy, unless configured otherwise.
    /// </summary>
    private static bool FallsBackIfDenied(ProxySwapperOptions options) =>
        options.ProxyHealth.Fallback
        ?? (options.SwapPolicy == SwapPolicy.Exists || options.Populate.Gate.OnFailure == GateFailurePolicy.Restore);

    private RegistryHealth Watched(RegistryName registry)
    {
        if (_registries.TryGetValue(registry, out var known))
            return known;
        var added = _registries.GetOrAdd(registry, static name => new RegistryHealth(name));
        _wake.Raise();
        return added;
    }

    private void Summarize()
    {
        lock (_summary)
        {
            _anyFails = _registries.Values.Any(each => each.Fault is not null);
            _anyDenies = _registries.Values.Any(each => each.Targets.Any(target => target.Fault is not null));
        }
    }

    private void CheckNow(RegistryHealth health)
    {
        health.RequestCheck();
        _wake.Raise();
    }

    /// <summary>The rules' registries are monitored before the first Pod arrives.</summary>
    private void WatchTargets()
    {
        var current = rules.Current;
        if (_watched == current)
            return;
        if (_watched is { } before)
            ForgetRemoved(before.Options, current.Options);
        _watched = current;
        var targets = AccessCheck.TargetsOf(current.Options).ToLookup(target => target.Registry);
        foreach (var registry in targets)
            Watch(registry.Key);
        foreach (var health in _registries.Values)
        {
            var paths = targets[health.Registry].Where(target => target.Repository is not null).ToList();
            health.SetPaths(paths.Select(target => target.Path));
            foreach (var repository in paths.Select(target => target.Repository!))
                health.TargetOf(repository).SetProbe(repository);
        }
        Summarize();
    }

    /// <summary>Forgets registries that rules no longer name. Others, of <c>populate.proxyCaches</c>, keep their state.</summary>
    private void ForgetRemoved(ProxySwapperOptions before, ProxySwapperOptions now)
    {
        foreach (var registry in RegistriesOf(before).Except(RegistriesOf(now)))
            _registries.TryRemove(registry, out _);

        static IEnumerable<RegistryName> RegistriesOf(ProxySwapperOptions options) =>
            AccessCheck.DestinationsOf(options).Select(rule => rule.Target.Registry);
    }

    private async Task CheckAsync(RegistryHealth health, CancellationToken cancellationToken)
    {
        try
        {
            var fault = await probe.PingAsync(health.Registry, cancellationToken);
            if (fault is null)
                await Parallel.ForEachAsync(
                    health.Targets,
                    new ParallelOptions { MaxDegreeOfParallelism = ParallelChecks, CancellationToken = cancellationToken },
                    async (target, stop) => await CheckAsync(health.Registry, target, stop)
                );
            var isNews = fault is null ? health.Responded() : health.Failed(fault);
            health.Checked(fault, _clock.UtcNow);
            var options = rules.Current.Options;
            var interval = options.ProxyHealth.Interval;
            health.NextCheck = _clock.UtcNow + (health.HasFailures ? interval : interval * HealthyIntervalFactor);
            Summarize();
            if (isNews)
                Report(health.Registry.Text, fault, FallsBack(options), cancellationToken);
        }
        finally
        {
            health.End();
            _wake.Raise();
        }
    }

    /// <summary>Checks our access to a target if that is due.</summary>
    private async Task CheckAsync(RegistryName registry, TargetAccess target, CancellationToken cancellationToken)
    {
        bool isNews;
        if (rules.Current.Options.Populate.Policy == PopulatePolicy.None)
            isNews = target.NotPopulated();
        else if (target.TakeDue(_clock.UtcNow))
        {
            var results = await probe.AccessOfAsync(registry, target, cancellationToken);
            isNews = target.Checked(results, _clock.UtcNow + AccessInterval);
        }
        else
            return;
        if (isNews)
            Report(target.Name, target.Fault, FallsBackIfDenied(rules.Current.Options), cancellationToken);
    }
}
