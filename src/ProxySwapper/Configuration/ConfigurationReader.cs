using ProxySwapper.Configuration.Yaml;
using ProxySwapper.Patterns;
using ProxySwapper.Registry;

namespace ProxySwapper.Configuration;

/// <summary>Reads the configuration file, overlays the environment and validates the result.</summary>
internal static class ConfigurationReader
{
    /// <summary>Options from a file; without a file, from the environment only.</summary>
    /// <param name="file">The file's path, or null.</param>
    /// <param name="environment">Variables: <c>PROXY_URL</c> and <c>PROXYSWAPPER_…</c> are used.</param>
    /// <exception cref="ConfigurationException">The configuration is not valid; carries every fault.</exception>
    public static ProxySwapperOptions Read(string? file, EnvironmentVariables environment) =>
        ReadText(file ?? "(no file)", file is null ? "" : TextOf(file), environment);

    /// <summary>Options from a file's text.</summary>
    /// <exception cref="ConfigurationException">The configuration is not valid; carries every fault.</exception>
    public static ProxySwapperOptions ReadText(string file, string text, EnvironmentVariables environment)
    {
        var faults = new List<ConfigurationFault>();
        ProxySwapperOptions? options = null;
        if (YamlDocumentReader.ReadMapping(file, text, faults) is { } root)
        {
            var source = new YamlSource(file, faults);
            EnvironmentOverlay.Apply(environment, root, source, faults);
            options = ReadSection(new YamlSection(source, "", root));
        }
        return faults.Count > 0 ? throw new ConfigurationException(faults) : options!;
    }

    /// <summary>
    /// True if a text is YAML without any key. A file that becomes empty is a mistake; one that is empty at the start leaves everything to
    /// the environment.
    /// </summary>
    public static bool IsEmpty(string file, string text) => YamlDocumentReader.ReadMapping(file, text, []) is { Children.Count: 0 };

    /// <summary>Reads a file's text; failures become a configuration fault.</summary>
    /// <param name="file">The file's path.</param>
    /// <param name="maximumSize">The most bytes that it may have.</param>
    /// <exception cref="ConfigurationException">It cannot be read.</exception>
    public static string TextOf(string file, int maximumSize = TextFile.MaximumSize)
    {
        try
        {
            return TextFile.Read(file, maximumSize);
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            throw new ConfigurationException([
                new(file.Length > 0 ? file : "(a file without a name)", 0, 0, "", $"cannot be read: {fault.Message}"),
            ]);
        }
    }

    /// <summary>Options from a mapping, which may be part of a file; faults are reported to its source.</summary>
    public static ProxySwapperOptions ReadSection(YamlSection top)
    {
        var defaults = new ProxySwapperOptions();
        var admissionPolicy = AdmissionPolicySectionReader.Read(top);
        var automata = new AutomatonLimit();
        var options = defaults with
        {
            ProxyUrl = RulesSectionReader.ReadTarget(top, "proxyUrl"),
            DryRun = top.Boolean("dryRun") ?? defaults.DryRun,
            Port = top.Integer("port", 0, 65535) ?? defaults.Port,
            TlsCertPath = top.Path("tlsCertPath") ?? defaults.TlsCertPath,
            TlsKeyPath = top.Path("tlsKeyPath") ?? defaults.TlsKeyPath,
            Certificates = ReadCertificates(top),
            ManagementPort = top.Integer("managementPort", 0, 65535) ?? defaults.ManagementPort,
            ManagementTokenFrom = top.Section("management") is { } management ? ReadManagement(management) : null,
            DrainDelay = top.Duration("drainDelay", TimeSpan.Zero, TimeSpan.FromMinutes(5)) ?? defaults.DrainDelay,
            ShutdownGracePeriod =
                top.Duration("shutdownGracePeriod", TimeSpan.FromSeconds(1), TimeSpan.FromMinutes(30)) ?? defaults.ShutdownGracePeriod,
            LogLevel = ReadLogLevel(top) ?? defaults.LogLevel,
            LogFormat = top.Choice<LogFormat>("logFormat"),
            PatchLabel = ReadPatchLabel(top),
            IgnoreImages = RulesSectionReader.ReadIgnoredImages(top),
            PlaceholderImages = top.Has("placeholderImages") ? top.Strings("placeholderImages") : defaults.PlaceholderImages,
            IgnoreNamespaces = RulesSectionReader.ReadNamespaces(top, "ignoreNamespaces"),
            IgnoreOwners = RulesSectionReader.ReadOwners(top) ?? defaults.IgnoreOwners,
            SwapPolicy = top.Choice<SwapPolicy>("swapPolicy") ?? defaults.SwapPolicy,
            Populate = PopulateSectionReader.Read(top, admissionPolicy, automata),
            Registries = RegistriesSectionReader.Read(top),
            ProxyHealth = ReadProxyHealth(top),
            AdmissionPolicy = admissionPolicy,
        };
        options = options with { Rules = RulesSectionReader.Read(top, options.ProxyUrl, automata) };
        if (options is { DryRun: true, AdmissionPolicy.Name: not null })
            top.Fault(
                "dryRun",
                "cannot be combined with admissionPolicy, which has no dry run: use proxyswapper rewrite or report instead"
            );
        if (options.Port != 0 && options.Port == options.ManagementPort)
            top.Fault("managementPort", "must differ from port, which the webhook uses");
        top.RejectUnknownKeys();
        return options;
    }

    private static SecretSource? ReadManagement(YamlSection section)
    {
        var token = RegistriesSectionReader.ReadSecret(section, "tokenFrom");
        section.RejectUnknownKeys();
        return token;
    }

    private static SelfSignedOptions? ReadCertificates(YamlSection top)
    {
        if (top.Section("certificates") is not { } section)
            return null;
        var (secret, names) = (section.String("secret"), section.Strings("dnsNames"));
        if (secret is null)
            section.Fault("secret", "is required: the Secret that stores the certificate");
        if (names.Count == 0)
            section.Fault("dnsNames", "is required: the DNS names of the webhook's Service, such as proxyswapper.proxyswapper.svc");
        var options = new SelfSignedOptions
        {
            Secret = secret ?? "",
            DnsNames = names,
            Webhook = section.String("webhook"),
        };
        section.RejectUnknownKeys();
        return options;
    }

    private static LogLevel? ReadLogLevel(YamlSection top)
    {
        LogLevel? level = top.String("logLevel")?.ToLowerInvariant() switch
        {
            null => null,
            "trace" => LogLevel.Trace,
            "debug" => LogLevel.Debug,
            "info" or "information" => LogLevel.Information,
            "warn" or "warning" => LogLevel.Warning,
            "error" => LogLevel.Error,
            _ => LogLevel.None,
        };
        if (level == LogLevel.None)
            top.Fault("logLevel", "must be one of trace, debug, info, warn, error");
        return level;
    }

    private static PatchLabelOptions ReadPatchLabel(YamlSection top)
    {
        var defaults = new PatchLabelOptions();
        if (top.Section("patchLabel") is not { } section)
            return defaults;
        var label = new PatchLabelOptions(section.String("key") ?? defaults.Key, section.String("value") ?? defaults.Value);
        if (!LabelSyntax.IsKey(label.Key))
            section.Fault("key", "must be a label key: up to 63 letters, digits, '-', '_', '.', with an optional DNS prefix and '/'");
        if (!LabelSyntax.IsValue(label.Value))
            section.Fault(
                "value",
                "must be a label value: up to 63 letters, digits, '-', '_', '.', starting and ending with a letter or digit"
            );
        section.RejectUnknownKeys();
        return label;
    }

    private static ProxyHealthOptions ReadProxyHealth(YamlSection top)
    {
        var defaults = new ProxyHealthOptions();
        if (top.Section("proxyHealth") is not { } section)
            return defaults;
        var health = new ProxyHealthOptions
        {
            Fallback = section.Boolean("fallback"),
            Interval = section.Duration("interval", TimeSpan.FromSeconds(1), TimeSpan.FromMinutes(10)) ?? defaults.Interval,
        };
        section.RejectUnknownKeys();
        return health;
    }
}
