using System.Diagnostics.Metrics;
using System.Net;
using ProxySwapper.Configuration;
using ProxySwapper.Kubernetes;
using ProxySwapper.Kubernetes.Connection;
using ProxySwapper.Management;
using ProxySwapper.Population.Cluster;

namespace ProxySwapper.AdmissionPolicies;

/// <summary>
/// Keeps the policy at the API server in step with the configuration, by server-side apply: after a reload, and when it was changed or
/// deleted. The chart or the user owns the binding: without it the policy is not in force and nothing is done, so deleting the binding
/// disables the swap and no replica restores it.
/// </summary>
/// <remarks>
/// Replicas that see a new configuration at different times do not fight: each applies only when its own configuration changes, and leaves
/// what another replica applied.
/// </remarks>
internal sealed partial class PolicyController : BackgroundService, IReadinessCheck
{
    /// <summary>The field manager of our applies.</summary>
    public const string FieldManager = "proxyswapper";

    private static readonly string[] Results = ["success", "failure"];

    /// <summary>How soon a new configuration is applied.</summary>
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);

    /// <summary>How often the policy is checked at the API server.</summary>
    private static readonly TimeSpan RecheckAfter = TimeSpan.FromSeconds(5);

    private readonly PolicyClient? _client;
    private readonly ServedPolicy _policy;
    private readonly TimeProvider _time;
    private readonly ILogger<PolicyController> _logger;
    private readonly Counter<long> _applications;
    private AdmissionPolicy? _applied;
    private WrittenPolicy? _written;
    private DateTimeOffset _checkedAt;
    private volatile string _fault = "not applied yet";
    private volatile bool _isReady;

    /// <param name="kubernetes">The API server, if there is one.</param>
    /// <param name="options">The configuration at startup, with the policy's name.</param>
    /// <param name="policy">The policy to apply.</param>
    /// <param name="meters">Creates the meter.</param>
    /// <param name="time">The clock.</param>
    /// <param name="logger">The log.</param>
    public PolicyController(
        KubernetesAccess kubernetes,
        ProxySwapperOptions options,
        ServedPolicy policy,
        IMeterFactory meters,
        TimeProvider time,
        ILogger<PolicyController> logger
    )
    {
        if (kubernetes.Client is { } client && options.AdmissionPolicy.Name is { } name)
            _client = new PolicyClient(client, name);
        (_policy, _time, _logger) = (policy, time, logger);
        _applications = meters
            .Create("ProxySwapper")
            .CreateCounter<long>(
                "proxyswapper_admission_policy_applied_total",
                unit: null,
                description: "Times that the MutatingAdmissionPolicy was written to the API server, by result.",
                tags: [new("result", Results)]
            );
    }

    public string CheckName => "admission policy";

    /// <summary>
    /// Ready once the policy has been in force, or is disabled for lack of its binding, until the API server rejects a newer one: an API
    /// server that does not respond still has the policy.
    /// </summary>
    public ReadinessState State => new(_isReady, _fault);

    /// <summary>Applies the policy if necessary.</summary>
    public async Task CheckAsync(CancellationToken cancellationToken)
    {
        var (now, policy) = (_time.GetUtcNow(), _policy.Current);
        if (policy is null || ReferenceEquals(policy, _applied) && now - _checkedAt < RecheckAfter)
            return;
        _checkedAt = now;
        try
        {
            if (_client is null)
                throw new KubernetesConnectionException("no API server configured: neither a service account nor a kubeconfig was found");
            Report(await ApplyAsync(_client, policy, cancellationToken));
            _isReady = true;
        }
        catch (Exception problem) when (problem is KubernetesException or KubernetesConnectionException)
        {
            _applications.Add(1, new KeyValuePair<string, object?>("result", "failure"));
            if (_fault != problem.Message)
                Log.Failed(_logger, problem.Message);
            _fault = problem.Message;
            _isReady &= !IsRejection(problem);
        }
    }

    /// <summary>Repeating the call does not help.</summary>
    private static bool IsRejection(Exception problem) =>
        problem
            is KubernetesException { Status: HttpStatusCode.BadRequest or HttpStatusCode.Forbidden or HttpStatusCode.UnprocessableEntity };

    protected override Task ExecuteAsync(CancellationToken stoppingToken) =>
        BackgroundWork.KeepRunningAsync(WorkAsync, _time, _logger, stoppingToken);

    private async Task WorkAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Interval, _time);
        do await CheckAsync(stoppingToken);
        while (await timer.WaitForNextTickAsync(stoppingToken));
    }

    /// <returns>Why the policy is not in force; empty when it is.</returns>
    private async Task<string> ApplyAsync(PolicyClient client, AdmissionPolicy policy, CancellationToken cancellationToken)
    {
        if (await client.FindBindingAsync(cancellationToken) is null)
        {
            _applied = null;
            return $"not in force: MutatingAdmissionPolicyBinding {client.Name} not found";
        }
        var found = await client.FindAsync(cancellationToken);
        if (found is not null && ReferenceEquals(policy, _applied) && _written?.IsChangedByAnother(found) == false)
            return "";
        _written = WrittenPolicy.Of(await client.ApplyAsync(policy, cancellationToken));
        _applications.Add(1, new KeyValuePair<string, object?>("result", "success"));
        Log.Applied(
            _logger,
            client.Name,
            found is null ? "it did not exist"
                : ReferenceEquals(policy, _applied) ? "it was changed"
                : "new rules"
        );
        _applied = policy;
        return "";
    }

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

        [LoggerMessage(2, LogLevel.Error, "Cannot apply the admission policy, retrying: {Reason}")]
        public static partial void Failed(ILogger logger, string reason);

        [LoggerMessage(3, LogLevel.Warning, "The admission policy is {State}")]
        public static partial void NotInForce(ILogger logger, string state);
    }
}
