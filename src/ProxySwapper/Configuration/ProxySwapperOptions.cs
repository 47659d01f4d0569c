namespace ProxySwapper.Configuration;

/// <summary>The program's configuration: one YAML file with the environment laid over it, checked as a whole.</summary>
internal sealed record ProxySwapperOptions
{
    /// <summary>CloudNativePG (its issues 3231, 4138 and 6344) and KubeBlocks (its issue 7723).</summary>
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

    /// <summary>Null reads the certificate's files; else the program issues it.</summary>
    public SelfSignedOptions? Certificates { get; init; }
    public int ManagementPort { get; init; } = 9090;

    /// <summary>Where the token is that the management port's pages ask for, besides probes and metrics; null opens them.</summary>
    public SecretSource? ManagementTokenFrom { get; init; }

    /// <summary>How long requests are still served after SIGTERM, while endpoints learn that we are not ready any more.</summary>
    public TimeSpan DrainDelay { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>How long running work may take to end after that.</summary>
    public TimeSpan ShutdownGracePeriod { get; init; } = TimeSpan.FromSeconds(25);
    public LogLevel LogLevel { get; init; } = LogLevel.Information;
    public PatchLabelOptions PatchLabel { get; init; } = new();
    public IReadOnlyList<string> IgnoreImages { get; init; } = [];

    /// <summary>
    /// Texts that stand in the place of an image until another webhook puts one there, such as Istio's <c>auto</c>: left unchanged.
    /// </summary>
    public IReadOnlyList<string> PlaceholderImages { get; init; } = ["auto"];
    public IReadOnlyList<string> IgnoreNamespaces { get; init; } = [];

    /// <summary>
    /// Controllers whose Pods are left unchanged, <c>group/Kind</c>: operators that compare the images of their Pods, and make a Pod anew,
    /// for ever, when they find another one.
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
/// When images are let through because the downstream registry fails. Null follows <see cref="SwapPolicy"/>: on for exists.
/// </summary>
internal sealed record ProxyHealthOptions
{
    public bool? Fallback { get; init; }
    public TimeSpan Interval { get; init; } = TimeSpan.FromSeconds(5);
}
