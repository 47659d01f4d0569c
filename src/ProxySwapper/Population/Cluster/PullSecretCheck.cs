using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using System.Net;
using System.Threading.Channels;
using ProxySwapper.Kubernetes;
using ProxySwapper.Kubernetes.Connection;
using ProxySwapper.Management;
using ProxySwapper.Registry;
using ProxySwapper.Registry.Credentials;
using ProxySwapper.Rules;

namespace ProxySwapper.Population.Cluster;

/// <summary>
/// Checks whether the Secrets of <c>rules[].pullSecret</c> exist in the namespaces of Pods on the API server, and reports missing ones
/// in the log, by an Event of the Pod and in a metric. The chart permits reading exactly the Secrets that rules name; without permission
/// the log says so once. Reviews read none.
/// </summary>
internal sealed partial class PullSecretCheck : BackgroundService
{
    private const string Reason = "PullSecretMissing";
    private const int MaximumRemembered = 1000;

    /// <summary>How long an existing Secret is cached.</summary>
    private static readonly TimeSpan PresentFor = TimeSpan.FromMinutes(10);

    /// <summary>The same for a missing one, which may be created soon.</summary>
    private static readonly TimeSpan MissingFor = TimeSpan.FromMinutes(1);

    private readonly Channel<CheckRequest> _requests = Channel.CreateBounded<CheckRequest>(
        new BoundedChannelOptions(MaximumRemembered) { FullMode = BoundedChannelFullMode.DropWrite }
    );
    private readonly ConcurrentDictionary<(string Namespace, string Secret, RegistryName Registry), Found> _found = [];
    private readonly KubernetesAccess _kubernetes;
    private readonly ConfigurationMonitor _rules;
    private readonly FailureEvents _events;
    private readonly TimeProvider _time;
    private readonly ILogger<PullSecretCheck> _logger;
    private bool _wasDenied;

    public PullSecretCheck(
        KubernetesAccess kubernetes,
        ConfigurationMonitor rules,
        FailureEvents events,
        IMeterFactory meters,
        TimeProvider time,
        ILogger<PullSecretCheck> logger
    )
    {
        (_kubernetes, _rules, _events, _time, _logger) = (kubernetes, rules, events, time, logger);
        meters
            .Create("ProxySwapper")
            .CreateObservableGauge(
                "proxyswapper_pull_secrets_missing",
                () => _found.Count(found => found.Value.IsMissing),
                description: "Secrets of rules[].pullSecret that were missing, or had no usable login, when a Pod last needed them."
            );
    }

    /// <summary>Checks the Secrets of a Pod. Returns at once.</summary>
    public void Observe(ListedPod pod)
    {
        var rules = _rules.Current;
        if (_kubernetes.Client is null)
            return;
        foreach (var image in pod.Images)
        {
            var decision = ListedPod.DecisionOf(image.Final, image.Original, pod.Origin.Namespace, rules);
            if (decision is not { Target: { } target, PullSecret: { } secret })
                continue;
            var key = (pod.Origin.Namespace, secret, target.Registry);
            var now = _time.GetUtcNow();
            if (_found.TryGetValue(key, out var found) && now < found.Until)
                continue;
            if (_found.Count >= MaximumRemembered)
                foreach (var old in _found.Where(old => old.Value.Until <= now))
                    _found.TryRemove(old);
            if (_found.Count >= MaximumRemembered)
                return;
            // Before the request, so that a thousand Pods, seen by several watches, cause only one.
            var pending = new Found(now + MissingFor, found?.IsMissing == true);
            if (found is null ? !_found.TryAdd(key, pending) : !_found.TryUpdate(key, pending, found))
                continue;
            _requests.Writer.TryWrite(new CheckRequest(key, pod.Origin.Name ?? "", pod.Uid, target, decision.Rule ?? ""));
        }
    }

    protected override Task ExecuteAsync(CancellationToken stoppingToken) =>
        BackgroundWork.KeepRunningAsync(WorkAsync, _time, _logger, stoppingToken);

    private async Task WorkAsync(CancellationToken stoppingToken)
    {
        if (_kubernetes.Client is not { } client)
            return;
        var reader = new PullSecretReader(client);
        try
        {
            await foreach (var request in _requests.Reader.ReadAllAsync(stoppingToken))
                await CheckAsync(reader, request, stoppingToken);
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // Shutting down.
        }
    }

    private async Task CheckAsync(PullSecretReader reader, CheckRequest request, CancellationToken cancellationToken)
    {
        var (@namespace, secret, registry) = request.Key;
        try
        {
            var problem = await ProblemOfAsync(reader, request, cancellationToken);
            var wasMissing = _found.TryGetValue(request.Key, out var before) && before.IsMissing;
            _found[request.Key] = new Found(_time.GetUtcNow() + (problem is null ? PresentFor : MissingFor), problem is not null);
            if (problem is not null)
            {
                Log.Missing(_logger, secret, @namespace, problem, request.Rule, registry);
                _events.Write(
                    $"pull secret {@namespace}/{secret} {registry}",
                    new EventSubject("v1", "Pod", @namespace, request.Pod, request.Uid),
                    Reason,
                    $"Secret {secret} {problem}; it is the pullSecret of {request.Rule}; without it kubelet may be denied by {registry}"
                );
            }
            else if (wasMissing)
                Log.Present(_logger, secret, @namespace);
        }
        catch (Exception fault) when (fault is KubernetesException or KubernetesConnectionException)
        {
            var isDenied = fault is KubernetesException { Status: HttpStatusCode.Forbidden };
            _found[request.Key] = new Found(_time.GetUtcNow() + (isDenied ? PresentFor : MissingFor), false);
            if (!isDenied)
                Log.NotChecked(_logger, secret, @namespace, fault.Message);
            else if (!_wasDenied)
                Log.Denied(_logger, fault.Message);
            _wasDenied |= isDenied;
        }
    }

    /// <summary>Why kubelet cannot use the Secret; null if it is fine.</summary>
    private static async Task<string?> ProblemOfAsync(PullSecretReader reader, CheckRequest request, CancellationToken cancellationToken)
    {
        var (@namespace, secret, registry) = request.Key;
        if (await reader.DockerConfigAsync(@namespace, secret, cancellationToken) is not { } json)
            return "is missing, or not of type kubernetes.io/dockerconfigjson";
        try
        {
            DockerConfigSource source = DockerConfigSource.FromJson(json, $"pull secret {@namespace}/{secret}");
            return await source.GetAsync(request.Target, cancellationToken) is null ? $"has no login for {registry}" : null;
        }
        catch (RegistryCredentialException)
        {
            return "cannot be read as Docker's config.json";
        }
    }

    private sealed record CheckRequest(
        (string Namespace, string Secret, RegistryName Registry) Key,
        string Pod,
        string Uid,
        ImageReference Target,
        string Rule
    );

    private sealed record Found(DateTimeOffset Until, bool IsMissing);

    private static partial class Log
    {
        [LoggerMessage(
            1,
            LogLevel.Warning,
            "Secret {Secret} of namespace {SecretNamespace} {Problem}; it is the pullSecret of {Rule}; without it kubelet may be denied "
                + "by {Registry}"
        )]
        public static partial void Missing(
            ILogger logger,
            string secret,
            string secretNamespace,
            string problem,
            string rule,
            RegistryName registry
        );

        [LoggerMessage(2, LogLevel.Information, "Secret {Secret} of namespace {SecretNamespace} now exists")]
        public static partial void Present(ILogger logger, string secret, string secretNamespace);

        [LoggerMessage(
            3,
            LogLevel.Warning,
            "Cannot check Secret {Secret} of namespace {SecretNamespace}, the pullSecret of a rule: {Fault}"
        )]
        public static partial void NotChecked(ILogger logger, string secret, string secretNamespace, string fault);

        [LoggerMessage(
            4,
            LogLevel.Warning,
            "Cannot check whether the pullSecret of rules is in the namespaces of Pods, and does not report missing ones: {Fault}; allow "
                + "the ServiceAccount to get these Secrets by name"
        )]
        public static partial void Denied(ILogger logger, string fault);
    }
}
