using ProxySwapper.Registry;
using ProxySwapper.Registry.Distribution;
using ProxySwapper.Rules;

namespace ProxySwapper.Management;

/// <summary>
/// The registries whose counters exist from the start: those that are configured, and <c>other</c>. Others get theirs with the first
/// request.
/// </summary>
internal sealed class MetricHosts
{
    /// <summary>The label of counters of registries.</summary>
    public const string Label = "host";

    /// <summary>Its value, and that of <c>registry</c>, for those without series of their own.</summary>
    public const string Other = "other";

    /// <summary>Each has 30 series for its requests.</summary>
    private const int Maximum = 24;

    public MetricHosts(IEnumerable<RegistryName> registries) =>
        Names = [.. registries.Distinct().Take(Maximum).Select(registry => registry.Text), Other];

    public string[] Names { get; }

    /// <summary>Gives the registries of a configuration labels of their own, however many others Pods name.</summary>
    public static void Reserve(RuleSet rules) =>
        RegistryClients.NameInMetrics(rules.Registries.Concat(rules.Options.Registries.Select(entry => entry.Host)));
}
