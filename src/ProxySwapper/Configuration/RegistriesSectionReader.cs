using ProxySwapper.Configuration.Yaml;
using ProxySwapper.Registry;
using ProxySwapper.Registry.Clouds.Aws;

namespace ProxySwapper.Configuration;

/// <summary>Reads the list <c>registries</c>, which the configuration and mirror files share.</summary>
internal static class RegistriesSectionReader
{
    public static IReadOnlyList<RegistryEntryOptions> Read(YamlSection parent)
    {
        var entries = new List<RegistryEntryOptions>();
        foreach (var section in parent.Sections("registries"))
        {
            var entry = ReadEntry(section);
            section.RejectUnknownKeys();
            if (entry.Host != default && entries.Any(other => other.Host == entry.Host))
                section.Fault("host", $"'{entry.Host}' already has an entry");
            entries.Add(entry);
        }
        return entries;
    }

    private static RegistryEntryOptions ReadEntry(YamlSection section)
    {
        var entry = new RegistryEntryOptions
        {
            Host = ReadHost(section),
            Auth = section.Choice<RegistryAuth>("auth"),
            UsernameFrom = ReadSecret(section, "usernameFrom"),
            PasswordFrom = ReadSecret(section, "passwordFrom"),
            DockerConfigFile = section.Path("dockerConfigFile"),
            Region = section.String("region"),
            AwsProfile = section.String("awsProfile"),
            AzureClientId = section.String("azureClientId"),
            AzureTenantId = section.String("azureTenantId"),
            GoogleKeyFile = section.Path("googleKeyFile"),
            CaFile = section.Path("caFile"),
            PlainHttp = section.Boolean("plainHttp") ?? false,
            InsecureSkipTlsVerify = section.Boolean("insecureSkipTlsVerify") ?? false,
            MaxConcurrency = section.Integer("maxConcurrency", 1, 1000),
            RequestsPerSecond = section.Number("requestsPerSecond", 0.01, 100_000),
            CreateRepositories = section.Section("createRepositories") is { } create ? ReadCreateRepositories(create) : null,
        };
        RejectMisplaced(section, entry);
        return entry;
    }

    private static void RejectMisplaced(YamlSection section, RegistryEntryOptions entry)
    {
        var isBasic = entry.Auth == RegistryAuth.Basic;
        if (isBasic && entry.UsernameFrom is null)
            section.Fault("usernameFrom", "is required with auth: basic, as {env: NAME} or {file: PATH}");
        if (isBasic && entry.PasswordFrom is null)
            section.Fault("passwordFrom", "is required with auth: basic, as {env: NAME} or {file: PATH}");
        if (!isBasic && entry.UsernameFrom is not null)
            section.Fault("usernameFrom", "requires auth: basic");
        if (!isBasic && entry.PasswordFrom is not null)
            section.Fault("passwordFrom", "requires auth: basic");
        if (entry.DockerConfigFile is not null && entry.Auth != RegistryAuth.DockerConfig)
            section.Fault("dockerConfigFile", "requires auth: dockerConfig");
        if (entry.AwsProfile is not null && entry.Auth is not (null or RegistryAuth.Ecr))
            section.Fault("awsProfile", "requires auth: ecr");
        if (entry.GoogleKeyFile is not null && entry.Auth is not (null or RegistryAuth.Google))
            section.Fault("googleKeyFile", "requires auth: google");
        if (entry.AzureClientId is not null && entry.Auth is not (null or RegistryAuth.Azure))
            section.Fault("azureClientId", "requires auth: azure");
        if (entry.AzureTenantId is not null && entry.AzureClientId is null)
            section.Fault("azureTenantId", "requires azureClientId");
        if (entry.Region is not null && !EcrHost.IsRegion(entry.Region))
            section.Fault("region", EcrHost.RegionRule);
        else if (entry.Auth == RegistryAuth.Ecr && entry.Host != default && EcrHost.Parse(entry.Host, entry.Region) is null)
            section.Fault("region", $"is required with auth: ecr, since the host name {entry.Host} does not contain it");
        if (entry.PlainHttp && entry.CaFile is not null)
            section.Fault("caFile", "cannot be combined with plainHttp");
        if (entry.InsecureSkipTlsVerify && entry.CaFile is not null)
            section.Fault("caFile", "cannot be combined with insecureSkipTlsVerify");
    }

    private static RegistryName ReadHost(YamlSection section)
    {
        if (section.String("host") is not { } host)
            section.Fault("host", "is required: a registry host, such as harbor.example.com or localhost:5000");
        else if (RegistryName.TryParse(host, out var name, out var fault))
            return name;
        else
            section.Fault(
                "host",
                $"{fault}; it must be a host with an optional port, such as harbor.example.com or localhost:5000, without scheme and path"
            );
        return default;
    }

    /// <summary>Where to read a secret from: a variable or a file.</summary>
    public static SecretSource? ReadSecret(YamlSection parent, string key)
    {
        if (parent.Section(key) is not { } section)
            return null;
        var secret = new SecretSource(section.String("env"), section.Path("file"));
        section.RejectUnknownKeys();
        if (secret.Environment is null == secret.File is null)
            parent.Fault(key, "must be either {env: NAME} or {file: PATH}");
        return secret;
    }

    private static CreateRepositoriesOptions ReadCreateRepositories(YamlSection section)
    {
        var defaults = new CreateRepositoriesOptions();
        var options = new CreateRepositoriesOptions
        {
            ScanOnPush = section.Boolean("scanOnPush") ?? defaults.ScanOnPush,
            ImageTagMutability = OneOf(section, "imageTagMutability", "MUTABLE", "IMMUTABLE") ?? defaults.ImageTagMutability,
            EncryptionType = OneOf(section, "encryptionType", "AES256", "KMS") ?? defaults.EncryptionType,
            KmsKey = section.String("kmsKey"),
            Tags = section.Map("tags"),
            LifecyclePolicy = section.String("lifecyclePolicy"),
            RepositoryPolicy = section.String("repositoryPolicy"),
        };
        if (options.KmsKey is not null && options.EncryptionType != "KMS")
            section.Fault("kmsKey", "requires encryptionType: KMS");
        section.RejectUnknownKeys();
        return options;
    }

    private static string? OneOf(YamlSection section, string key, params ReadOnlySpan<string> allowed)
    {
        if (section.String(key) is not { } text)
            return null;
        foreach (var value in allowed)
            if (value.Equals(text, StringComparison.OrdinalIgnoreCase))
                return value;
        section.Fault(key, $"must be one of {string.Join(", ", allowed)}");
        return null;
    }
}
