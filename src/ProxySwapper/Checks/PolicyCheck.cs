using System.Text.Json.Nodes;
using ProxySwapper.AdmissionPolicies;
using ProxySwapper.Kubernetes;
using ProxySwapper.Kubernetes.Connection;

namespace ProxySwapper.Checks;

/// <summary>Whether an API server has the policy that a configuration compiles to, and a binding that applies it to a namespace.</summary>
/// <param name="client">The API server.</param>
/// <param name="name">The name of policy and binding.</param>
/// <param name="time">The clock.</param>
internal sealed class PolicyCheck(KubernetesClient client, string name, TimeProvider time)
{
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(2);

    private readonly PolicyClient _policies = new(client, name);

    private string Policy => $"MutatingAdmissionPolicy {name}";

    private string Binding => $"MutatingAdmissionPolicyBinding {name}";

    /// <summary>Retries until both are right or the end is reached: the program applies a changed configuration within seconds.</summary>
    /// <param name="report">Receives the finding.</param>
    /// <param name="compiled">The policy of the configuration.</param>
    /// <param name="namespace">The namespace that it has to apply to.</param>
    /// <param name="end">When to stop waiting.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <returns>Whether both are right.</returns>
    public async Task<bool> RunAsync(
        CheckReport report,
        CompiledPolicy compiled,
        string @namespace,
        DateTimeOffset end,
        CancellationToken cancellationToken
    )
    {
        foreach (var (key, reason, _) in compiled.Rejections)
            report.Failed($"{Policy} cannot express {key}: {reason}");
        if (compiled.Rejections.Count > 0)
            return false;
        try
        {
            string? fault;
            while ((fault = await FaultAsync(compiled.Policy, @namespace, cancellationToken)) is not null && time.GetUtcNow() < end)
                await Task.Delay(Pause, time, cancellationToken);
            if (fault is null)
                report.Passed($"{Policy} is that of the configuration, and its binding applies it to namespace {@namespace}");
            else
                report.Failed(fault);
            return fault is null;
        }
        catch (Exception problem) when (problem is KubernetesException or KubernetesConnectionException)
        {
            report.Failed($"cannot check {Policy}: {problem.Message}");
            return false;
        }
    }

    private async Task<string?> FaultAsync(AdmissionPolicy expected, string @namespace, CancellationToken cancellationToken)
    {
        if (await _policies.FindBindingAsync(cancellationToken) is not { } binding)
            return $"{Binding} not found: webhook.registered is false, or it was removed (proxyswapper disable, kubectl delete); "
                + "helm upgrade or proxyswapper enable restores it";
        if (binding.Text("spec", "policyName") is var bound && bound != name)
            return $"{Binding} is for the policy {bound}; it must be for {name}";
        if (await _policies.FindAsync(cancellationToken) is not { } policy)
            return $"{Policy} not found: the program has not created it; see its log and its check `admission policy`";
        var different = DifferencesOf(new PolicyObjects(name, "v1").PolicyOf(expected)["spec"]!.AsObject(), policy["spec"] as JsonObject);
        if (different.Count > 0)
            return $"{Policy} is not that of the configuration: {string.Join(", ", different)} differ; the program updates it within "
                + "seconds of a change, so see its log and its check `admission policy`";
        var matched = new JsonArray(binding["spec"]?["matchResources"]?.DeepClone() ?? new JsonObject());
        return await NamespaceSelection.IncludesAsync(client, matched, @namespace, cancellationToken)
            ? null
            : NamespaceSelection.Excluded(Binding, @namespace);
    }

    /// <summary>The members that differ, ignoring comments in expressions, which contain line numbers of the configuration file.</summary>
    private static List<string> DifferencesOf(JsonObject expected, JsonObject? found) =>
        [
            .. expected
                .Select(member => member.Key)
                .Union((found ?? []).Select(member => member.Key))
                .Where(key => !JsonNode.DeepEquals(WithoutComments(expected[key]), WithoutComments(found?[key])))
                .Select(key => $"spec.{key}"),
        ];

    private static JsonNode? WithoutComments(JsonNode? node) =>
        node switch
        {
            JsonObject members => new JsonObject(members.Select(member => KeyValuePair.Create(member.Key, WithoutComments(member.Value)))),
            JsonArray items => new JsonArray([.. items.Select(WithoutComments)]),
            JsonValue value when value.TryGetValue<string>(out var text) => string.Join(
                '\n',
                text.Split('\n').Where(line => !line.TrimStart().StartsWith("//", StringComparison.Ordinal))
            ),
            _ => node?.DeepClone(),
        };
}
