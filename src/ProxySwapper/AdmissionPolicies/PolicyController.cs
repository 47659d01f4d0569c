using System.Diagnostics.Metrics;
using System.Text.Json.Nodes;
using ProxySwapper.Kubernetes;
using ProxySwapper.Management;

namespace ProxySwapper.AdmissionPolicies;

/// <summary>
/// Keeps the policy at the API server that of the configuration, by server-side apply: after a reload, and when somebody changed or
/// removed it. The binding belongs to the chart or to whoever made it: without it the policy is not in force, and then nothing is done.
/// So taking the binding away switches the swap off, and no replica brings it back.
/// </summary>
/// <remarks>
/// Replicas do not fight while they see a new configuration at different times: each applies when its own configuration changes, and
/// what another replica applied is left.
/// </remarks>
internal sealed partial class PolicyController : BackgroundService
{
    /// <summary>The name by which the API server knows who applied a field.</summary>
    public const string FieldManager = "proxyswapper";

    /// <summary>How soon a new configuration is applied.</summary>
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);

    /// <summary>How often the API server is asked whether the policy is still there.</summary>
    private static readonly TimeSpan RecheckAfter = TimeSpan.FromSeconds(5);

    private readonly PolicyClient? _client;
    private readonly ServedPolicy _policy;
    private readonly TimeProvider _time;
    private readonly ILogger<PolicyController> _logger;
    private readonly Counter<long> _applications;
    private AdmissionPolicy? _applied;
    private DateTimeOffset _checkedAt;
    private volatile string _fault = "not applied yet";
    private volatile bool _isReady;

    /// <param name="client">The API server, or null where there is none.</param>
    /// <param name="policy">What is to be in force.</param>
    /// <param name="meters">Makes the meter.</param>
    /// <param name="time">The clock.</param>
    /// <param name="logger">The log.</param>
    public PolicyController(
        PolicyClient? client,
        ServedPolicy policy,
        IMeterFactory meters,
        TimeProvider time,
        ILogger<PolicyController> logger
    )
    {
        (_client, _policy, _time, _logger) = (client, policy, time, logger);
        _applications = meters
            .Create("ProxySwapper")
            .CreateCounter<long>(
                "proxyswapper_admission_policy_applied_total",
                description: "How often the admission policy was applied at the API server, by result."
            );
    }

    /// <summary>Ready once the policy was in force, or is switched off by the lack of its binding.</summary>
    public ReadinessState State => new(_isReady, _fault);

    /// <summary>Applies the policy if it has to be; does nothing else.</summary>
    public async Task CheckAsync(CancellationToken cancellationToken)
    {
        var (now, policy) = (_time.GetUtcNow(), _policy.Current);
        if (policy is null || ReferenceEquals(policy, _applied) && now - _checkedAt < RecheckAfter)
            return;
        _checkedAt = now;
        try
        {
            if (_client is null)
                throw new KubernetesConnectionException("there is no API server: neither the Pod's own account nor a kubeconfig");
            Report(await ApplyAsync(_client, policy, cancellationToken));
            _isReady = true;
        }
        catch (Exception problem) when (problem is KubernetesException or KubernetesConnectionException)
        {
            _applications.Add(1, new KeyValuePair<string, object?>("result", "failure"));
            if (_fault != problem.Message)
                Log.Failed(_logger, problem.Message);
            _fault = problem.Message;
        }
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Interval, _time);
        do await CheckAsync(stoppingToken);
        while (await timer.WaitForNextTickAsync(stoppingToken));
    }

    /// <returns>Why the policy is not in force; empty when it is.</returns>
    private async Task<string> ApplyAsync(PolicyClient client, AdmissionPolicy policy, CancellationToken cancellationToken)
    {
        if (!await client.HasBindingAsync(cancellationToken))
        {
            _applied = null;
            return $"not in force: there is no MutatingAdmissionPolicyBinding {client.Name}";
        }
        var found = await client.FindAsync(cancellationToken);
        if (found is not null && ReferenceEquals(policy, _applied) && !IsChangedByAnother(found))
            return "";
        await client.ApplyAsync(policy, cancellationToken);
        _applications.Add(1, new KeyValuePair<string, object?>("result", "success"));
        Log.Applied(
            _logger,
            client.Name,
            found is null ? "it was not there"
                : ReferenceEquals(policy, _applied) ? "it was changed"
                : "new rules"
        );
        _applied = policy;
        return "";
    }

    /// <summary>Whether a field of its spec belongs to somebody else by now (server-side apply, field management).</summary>
    private static bool IsChangedByAnother(JsonObject policy) =>
        policy["metadata"]?["managedFields"] is JsonArray entries
        && entries.Any(entry => (string?)entry?["manager"] != FieldManager && entry?["fieldsV1"]?["f:spec"] is not null);

    private void Report(string state)
    {
        if (state.Length > 0 && state != _fault)
            Log.NotInForce(_logger, state);
        _fault = state;
    }

    private static partial class Log
    {
        [LoggerMessage(1, LogLevel.Information, "MutatingAdmissionPolicy {Name} applied: {Reason}")]
        public static partial void Applied(ILogger logger, string name, string reason);

        [LoggerMessage(2, LogLevel.Error, "The admission policy cannot be applied, trying again: {Reason}")]
        public static partial void Failed(ILogger logger, string reason);

        [LoggerMessage(3, LogLevel.Warning, "The admission policy is {State}")]
        public static partial void NotInForce(ILogger logger, string state);
    }
}
