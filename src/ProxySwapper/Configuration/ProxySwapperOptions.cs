namespace ProxySwapper.Configuration;

/// <summary>The program's configuration: one YAML file overlaid with the environment, validated as a whole.</summary>
internal sealed record ProxySwapperOptions
{
    /// <summary>CloudNativePG (issues 3231, 4138 and 6344) and KubeBlocks (issue 7723).</summary>
    private static readonly IReadOnlyList<string> OwnersThatCompare =
    [
        "postgresql.cnpg.io/Cluster",
        "apps.kubeblocks.io/*",
        "workloads.kubeblocks.io/*",
    ];

    public string? ProxyUrl { get; init; }

    /// <summary>True to decide, count, log and show, and to patch, gate and copy nothing.</summary>
    public bool DryRun { get; init; }
    public int Port { get; init; } = 8443;
    public string TlsCertPath { get; init; } = "/tls/tls.crt";
    public string TlsKeyPath { get; init; } = "/tls/tls.key";

    /// <summary>Null: the certificate is read from files; otherwise the program issues it.</summary>
    public SelfSignedOptions? Certificates { get; init; }
    public int ManagementPort { get; init; } = 9090;

    /// <summary>Where to read the token that the management pages require (probes and metrics never do); null requires none.</summary>
    public SecretSource? ManagementTokenFrom { get; init; }

    /// <summary>How long requests are still served after SIGTERM, while the endpoints are updated.</summary>
    public TimeSpan DrainDelay { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>How long running work may take to finish after that.</summary>
    public TimeSpan ShutdownGracePeriod { get; init; } = TimeSpan.FromSeconds(25);
    public LogLevel LogLevel { get; init; } = LogLevel.Information;

    /// <summary>How log lines are written; null for text on a terminal and JSON everywhere else.</summary>
    public LogFormat? LogFormat { get; init; }
    public PatchLabelOptions PatchLabel { get; init; } = new();
    public IReadOnlyList<string> IgnoreImages { get; init; } = [];

    /// <summary>Placeholders for an image that another webhook fills in later, such as Istio's <c>auto</c>: left unchanged.</summary>
    public IReadOnlyList<string> PlaceholderImages { get; init; } = ["auto"];
    public IReadOnlyList<string> IgnoreNamespaces { get; init; } = [];

    /// <summary>
    /// Controllers whose Pods are left unchanged, as <c>group/Kind</c>: operators that compare their Pods' images and recreate a Pod,
    /// forever, when they find a different one.
    /// </summary>
    public IReadOnlyList<string> IgnoreOwners { get; init; } = OwnersThatCompare;
    public IReadOnlyList<RuleOptions> Rules { get; init; } = [];
    public SwapPolicy SwapPolicy { get; init; } = SwapPolicy.Always;
    public PopulateOptions Populate { get; init; } = new();
    public IReadOnlyList<RegistryEntryOptions> Registries { get; init; } = [];
    public ProxyHealthOptions ProxyHealth { get; init; } = new();
    public AdmissionPolicyOptions AdmissionPolicy { get; init; } = new();
}

/// <summary>The label that marks a Pod whose images were rewritten.</summary>
internal sealed record PatchLabelOptions(string Key = "k8s-proxy-image-swapper", string Value = "patched-image");

internal enum SwapPolicy
{
    Always,
    Exists,
}

/// <summary>
/// Whether images are left unchanged when the downstream registry fails. Null: with swapPolicy exists, and with gates whose onFailure is
/// restore; while it rejects our login, with any populate policy.
/// </summary>
internal sealed record ProxyHealthOptions
{
    public bool? Fallback { get; init; }
    public TimeSpan Interval { get; init; } = TimeSpan.FromSeconds(5);
}

/// <summary>How log lines are written.</summary>
internal enum LogFormat
{
    /// <summary>One JSON object per line, on standard output, for collectors.</summary>
    Json,

    /// <summary>Text for people, on standard error.</summary>
    Text,
}

/// <summary>
/// The section <c>certificates</c>: the program issues and renews its own serving certificate instead of reading <c>tlsCertPath</c>.
/// </summary>
internal sealed record SelfSignedOptions
{
    /// <summary>The Secret, in the program's own namespace, that stores the CA and the certificate.</summary>
    public required string Secret { get; init; }

    /// <summary>The names under which the API server calls the Service, such as <c>proxyswapper.proxyswapper.svc</c>.</summary>
    public required IReadOnlyList<string> DnsNames { get; init; }

    /// <summary>The MutatingWebhookConfiguration whose <c>caBundle</c> is kept up to date; null for none.</summary>
    public string? Webhook { get; init; }
}
