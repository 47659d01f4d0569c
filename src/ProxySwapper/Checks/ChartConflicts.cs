using ProxySwapper.Configuration.Yaml;
using YamlDotNet.RepresentationModel;

namespace ProxySwapper.Checks;

/// <summary>
/// Values that contradict each other, which a schema does not detect: those of <c>chart/templates/_checks.tpl</c>, in its words, that are
/// known without a cluster and that the program would accept.
/// </summary>
/// <param name="file">The values' file.</param>
/// <param name="values">The values.</param>
internal sealed class ChartConflicts(string file, YamlMappingNode values)
{
    private const string Issuer = "certificates.certManager.issuerRef";
    private const string CaBundle = "certificates.caBundle";
    private const string ExistingSecret = "certificates.existingSecret";

    /// <summary>Keys of the configuration that the chart writes, and the values that they come from.</summary>
    private static readonly (string Key, string Instead)[] WrittenByTheChart =
    [
        ("config.tlsCertPath", "certificates.existingSecret"),
        ("config.tlsKeyPath", "certificates.existingSecret"),
        ("config.certificates", "certificates.mode"),
        ("config.admissionPolicy", "webhook.mode policy, webhook.name and webhook.matchConditions"),
    ];

    /// <summary>They annotate ServiceAccounts that the chart creates.</summary>
    private static readonly string[] Identities =
    [
        "cloudIdentity.aws.roleArn",
        "cloudIdentity.google.serviceAccount",
        "cloudIdentity.azure.tenantId",
    ];

    private readonly List<ConfigurationFault> _faults = [];

    /// <summary>The conflicts, each at the value that has to change.</summary>
    public IReadOnlyList<ConfigurationFault> Find()
    {
        RejectIdentity();
        if (IsTrue("registryCache.enabled") && Upstreams.Count > 0 && Upstreams.All(HasIdentity))
            Reject(
                "registryCache.cloudIdentity",
                "cannot be combined with upstreams that all have a cloudIdentity of their own: none would use it; remove it"
            );
        if (IsFalse("webhook.enabled"))
            return _faults;
        foreach (var (key, instead) in WrittenByTheChart)
            Reject(key, $"is set by the chart: use {instead}");
        if (Text("webhook.mode") != "policy")
        {
            RejectSecret();
            RejectAuthority();
        }
        RejectIssuer();
        return _faults;
    }

    /// <summary>Annotations and labels that would be on no object.</summary>
    private void RejectIdentity()
    {
        var withoutWebhook = IsFalse("webhook.enabled");
        if (!withoutWebhook && !IsFalse("serviceAccount.create"))
            return;
        var message = withoutWebhook
            ? "cannot be combined with webhook.enabled false: nothing but the webhook would use it; remove it"
            : "cannot be combined with serviceAccount.create false: it annotates the ServiceAccount that the chart creates; annotate yours";
        Reject("serviceAccount.annotations", message);
        if (IdentityIsInherited)
            return;
        foreach (var key in Identities)
            Reject(key, message);
        // With a ServiceAccount of the user's, it labels the webhook's Pods.
        if (withoutWebhook)
            Reject("cloudIdentity.azure.clientId", message);
    }

    /// <summary>
    /// Whether the mirror or a cache, whose ServiceAccounts the chart creates in any case, has no identity of its own but
    /// <c>cloudIdentity</c>.
    /// </summary>
    private bool IdentityIsInherited =>
        IsTrue("mirror.enabled") && Set("mirror.cloudIdentity") is null
        || IsTrue("registryCache.enabled") && Set("registryCache.cloudIdentity") is null && !Upstreams.All(HasIdentity);

    private IList<YamlNode> Upstreams => Set("registryCache.upstreams") is YamlSequenceNode upstreams ? upstreams.Children : [];

    private static bool HasIdentity(YamlNode upstream) => YamlValues.Find(upstream, "cloudIdentity") is { } own && !YamlValues.IsEmpty(own);

    /// <summary>
    /// Where the certificate comes from. With <c>auto</c> it may be that the cluster has no cert-manager and the program issues it, whose
    /// authority cannot be named either.
    /// </summary>
    private string Mode =>
        (Text("certificates.mode") ?? "auto") switch
        {
            "auto" when Text(ExistingSecret) is not null => "existing",
            "auto" when IsFalse("certificates.certManager.enabled") => "selfSigned",
            "auto" => "certManager",
            var written => written,
        };

    private void RejectSecret()
    {
        if (Mode != "existing")
            Reject(ExistingSecret, $"cannot be combined with certificates.mode {Mode}: set mode to existing");
        else if (Set(ExistingSecret) is null || Set(CaBundle) is null)
            Reject(
                ExistingSecret,
                $"and {CaBundle} are required together: the certificate, and the authority by which the API server trusts it",
                Set(ExistingSecret) ?? Set(CaBundle) ?? Set("certificates.mode")
            );
    }

    private void RejectAuthority()
    {
        var mode = Mode;
        if (mode == "selfSigned")
            Reject(CaBundle, "cannot be combined with certificates.mode selfSigned: the program publishes its own authority");
        else if (mode == "certManager" && Set(Issuer) is null)
            Reject(
                CaBundle,
                "cannot be combined with the authority that cert-manager makes for the release, which cert-manager publishes: remove it, "
                    + $"or set {Issuer} to the issuer of that authority"
            );
    }

    private void RejectIssuer()
    {
        if (Text("certificates.mode") == "certManager" && IsFalse("certificates.certManager.enabled"))
            Reject("certificates.mode", "certManager cannot be combined with certificates.certManager.enabled false");
        if (Text(ExistingSecret) is not null)
            Reject(Issuer, "cannot be combined with certificates.existingSecret: both provide the certificate");
        else if (IsFalse("certificates.certManager.enabled"))
            Reject(Issuer, "cannot be combined with certificates.certManager.enabled false");
        else if (Text("certificates.mode") == "selfSigned")
            Reject(Issuer, "cannot be combined with certificates.mode selfSigned: set mode to certManager");
    }

    private void Reject(string key, string message) => Reject(key, message, Set(key));

    private void Reject(string key, string message, YamlNode? at)
    {
        if (at is { } node)
            _faults.Add(new(file, (int)node.Start.Line, (int)node.Start.Column, key, message));
    }

    private bool IsTrue(string key) => YamlValues.IsTrue(values, key.Split('.'));

    private bool IsFalse(string key) => YamlValues.IsFalse(values, key.Split('.'));

    private string? Text(string key) => YamlValues.Text(values, key.Split('.'));

    private YamlNode? Set(string key) => YamlValues.Find(values, key.Split('.')) is { } node && !YamlValues.IsEmpty(node) ? node : null;
}
