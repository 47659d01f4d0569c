using System.Text.Json.Nodes;
using ProxySwapper.Patterns;
using ProxySwapper.Registry;
using ProxySwapper.Registry.Clouds.Aws;

namespace ProxySwapper.Converting;

/// <summary>
/// k8s-image-swapper's configuration (<see href="https://estahn.github.io/k8s-image-swapper/main/configuration.html"/>), older forms of it
/// and the values of its chart, which have it in <c>config</c>. All images that no filter excludes go to the target, below the name of
/// their registry.
/// </summary>
internal static class K8sImageSwapperConverter
{
    public static JsonObject Convert(ForeignSection top)
    {
        if (top.Section("config") is { } config)
        {
            top.LeaveOutUnread();
            return ConvertConfiguration(config);
        }
        return ConvertConfiguration(top);
    }

    private static JsonObject ConvertConfiguration(ForeignSection top)
    {
        var result = new JsonObject();
        if (top.Boolean("dryRun") is { } dryRun)
            result["dryRun"] = dryRun;
        ReadLogging(top, result);
        var registries = new RegistryEntries();
        var target = ReadTarget(top, registries);
        var filters = ReadSource(top, registries);
        if (filters.IgnoredImages.Count > 0)
            result["ignoreImages"] = filters.IgnoredImages.ToJson();
        if (filters.IgnoredNamespaces.Count > 0)
            result["ignoreNamespaces"] = filters.IgnoredNamespaces.ToJson();
        if (target is not null)
        {
            var rule = new JsonObject { ["match"] = "**", ["target"] = $"{target}/{TargetPrefix.RegistryPlaceholder}" };
            if (filters.OnlyNamespaces is { } only)
                rule["namespaces"] = new JsonArray(only);
            result["rules"] = new JsonArray(rule);
        }
        // The default of k8s-image-swapper.
        result["swapPolicy"] = top.String("imageSwapPolicy")?.ToLowerInvariant() ?? "exists";
        result["populate"] = ReadPopulate(top);
        registries.AddTo(result);
        top.LeaveOutUnread();
        return result;
    }

    private static void ReadLogging(ForeignSection top, JsonObject result)
    {
        if (top.String("logLevel")?.ToLowerInvariant() is { } level)
            result["logLevel"] = level is "fatal" or "panic" ? "error" : level;
        if (top.String("logFormat")?.ToLowerInvariant() is { } format)
            result["logFormat"] = format == "console" ? "text" : format;
    }

    private static JsonObject ReadPopulate(ForeignSection top)
    {
        var policy = top.String("imageCopyPolicy")?.ToLowerInvariant() ?? "delayed";
        var populate = new JsonObject { ["policy"] = policy == "force" ? "immediate" : policy };
        if (policy == "force")
            top.LeaveOut("imageCopyPolicy", "force becomes immediate: after the deadline, the copy continues in the background");
        if (policy is "immediate" or "force")
            ReadDeadline(top, populate);
        else
            top.LeaveOut("imageCopyDeadline", "only applies to imageCopyPolicy immediate");
        return populate;
    }

    /// <summary>The chart rejects a deadline that is not shorter than the webhook's timeout, which is 5 s by default.</summary>
    private static void ReadDeadline(ForeignSection top, JsonObject populate)
    {
        var deadline = top.String("imageCopyDeadline");
        // The default of k8s-image-swapper.
        populate["deadline"] = deadline ?? "8s";
        if (!DurationParser.TryParse(deadline ?? "8s", out var time) || Math.Ceiling(time.TotalSeconds) < 5)
            return;
        var key = deadline is null ? "imageCopyPolicy" : "imageCopyDeadline";
        if (time.TotalSeconds <= 29)
        {
            var timeout = (int)Math.Ceiling(time.TotalSeconds) + 1;
            top.LeaveOut(
                key,
                $"the deadline, {deadline ?? "8s by default"}, must be shorter than the API server's timeout: "
                    + $"set webhook.timeoutSeconds: {timeout} in the chart's values"
            );
            return;
        }
        populate["deadline"] = "29s";
        top.LeaveOut(
            key,
            $"{deadline} becomes 29s, since the API server waits 30 s at most: set webhook.timeoutSeconds: 30 in the chart's values"
        );
    }

    /// <summary>The registry and path that images go to.</summary>
    private static string? ReadTarget(ForeignSection top, RegistryEntries registries)
    {
        if (top.Section("target") is not { } section)
        {
            top.Fault("target", "is required: the registry that images go to");
            return null;
        }
        // The oldest files have the registry's settings one level deeper.
        var target = section.Section("registry") is { } registry ? registry : section;
        section.Skip("type");
        if (ReadRegistry(target, registries, isTarget: true) is not { } prefix)
        {
            section.Fault("aws", "is required: aws with accountId and region, or gcp with location, projectId and repositoryId");
            return null;
        }
        target.LeaveOutUnread();
        if (target != section)
            section.LeaveOutUnread();
        return prefix;
    }

    private static JmesPathFilters ReadSource(ForeignSection top, RegistryEntries registries)
    {
        var filters = new JmesPathFilters();
        if (top.Section("source") is not { } source)
            return filters;
        foreach (var registry in source.Sections("registries").Concat(source.Sections("privateRegistries")))
        {
            _ = ReadRegistry(registry, registries, isTarget: false);
            registry.Skip("type");
            registry.LeaveOutUnread();
        }
        foreach (var filter in source.Sections("filters"))
            if (filter.String("jmespath") is { } expression && !filters.Add(expression))
                filter.LeaveOut(
                    "jmespath",
                    $"'{expression}' cannot be expressed with ignoreNamespaces, ignoreImages or a rule's namespaces; "
                        + "use the chart's webhook.objectSelector (labels) or webhook.matchConditions (CEL)"
                );
        source.LeaveOutUnread();
        return filters;
    }

    /// <returns>The registry and path that images of a target go to; null if the registry is of an unknown kind.</returns>
    private static string? ReadRegistry(ForeignSection registry, RegistryEntries registries, bool isTarget)
    {
        if (registry.Section("aws") is { } aws)
        {
            var (account, region) = (aws.String("accountId") ?? "", aws.String("region") ?? "");
            var host = $"{account}.dkr.ecr.{region}.amazonaws.com";
            if (account.Length != 12 || !account.All(char.IsAsciiDigit))
                aws.Fault("accountId", "must be the 12 digits of an account");
            if (!EcrHost.IsRegion(region))
                aws.Fault("region", EcrHost.RegionRule);
            if (EcrHost.Parse(RegistryName.TryParse(host, out var name) ? name : default) is null)
                return host;
            var entry = registries.Find(registry, "aws", host);
            entry?.TrySetLogin(registry, "aws", new("ecr"));
            aws.LeaveOut(
                "role",
                "the role belongs to the ServiceAccount: set cloudIdentity.aws.roleArn in the chart's values, or use awsProfile"
            );
            if (isTarget)
                entry?.Set(aws, "ecrOptions", "createRepositories", ReadEcrOptions(aws.Section("ecrOptions")));
            aws.LeaveOutUnread();
            return host;
        }
        if (registry.Section("gcp") is { } gcp)
        {
            var host = $"{gcp.String("location")}-docker.pkg.dev";
            if (!RegistryName.TryParse(host, out _))
                gcp.Fault("location", "must be the location of the repository, such as europe-west3");
            var prefix = $"{host}/{gcp.String("projectId")}/{gcp.String("repositoryId")}";
            registries.Find(registry, "gcp", host)?.TrySetLogin(registry, "gcp", new("google"));
            gcp.LeaveOutUnread();
            return prefix;
        }
        if (registry.Section("generic") is not { } generic || generic.Section("genericOptions") is not { } options)
            return null;
        generic.Skip("name");
        var domain = options.String("domain") ?? "";
        var login = new ForeignLogin(ForeignLogin.Basic, options.String("username"), options.String("password"));
        if (registries.Find(options, "domain", domain) is { } basic && basic.TrySetLogin(registry, "generic", login))
        {
            options.LeaveOut("username", basic.UserAdvice);
            options.LeaveOut("password", basic.PasswordAdvice);
        }
        options.LeaveOutUnread();
        return domain;
    }

    /// <summary>How missing repositories are created; k8s-image-swapper always creates them.</summary>
    private static JsonObject ReadEcrOptions(ForeignSection? options)
    {
        var create = new JsonObject
        {
            ["scanOnPush"] = options?.Section("imageScanningConfiguration")?.Boolean("imageScanOnPush") ?? true,
            ["imageTagMutability"] = options?.String("imageTagMutability") ?? "MUTABLE",
        };
        if (options is null)
            return create;
        if (options.Section("encryptionConfiguration") is { } encryption)
        {
            if (encryption.String("encryptionType") is { } type)
                create["encryptionType"] = type;
            if (encryption.String("kmsKey") is { } key)
                create["kmsKey"] = key;
        }
        var tags = new JsonObject();
        foreach (var tag in options.Sections("tags"))
            tags[tag.String("key") ?? ""] = tag.String("value") ?? "";
        if (tags.Count > 0)
            create["tags"] = tags;
        if (options.String("lifecyclePolicy") is { } lifecycle)
            create["lifecyclePolicy"] = lifecycle;
        if (options.String("accessPolicy") is { } access)
            create["repositoryPolicy"] = access;
        options.LeaveOutUnread();
        return create;
    }
}
