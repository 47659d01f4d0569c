namespace ProxySwapper.Converting;

/// <summary>The values of kube-image-keeper's chart.</summary>
internal static class KubeImageKeeperValues
{
    private const string CacheAdvice = "the cache in the cluster is not needed: images go to a registry of yours";

    public static void Convert(ForeignSection values, ForeignTarget target, KubeImageKeeperResult result)
    {
        if (values.Section("configuration") is { } configuration)
            ReadOperator(configuration, result);
        var webhook = values.Section("controllers")?.Section("webhook");
        if (values.Has("controllers") || values.Has("cachedImagesExpiryDelay"))
            ReadWebhook(values, webhook, target, result);
        foreach (var architecture in values.Strings("architectures"))
            result.AddPlatform($"linux/{architecture}");
        foreach (var registry in values.Strings("insecureRegistries"))
            AddInsecure(values, registry, result);
        values.LeaveOut(
            "rootCertificateAuthorities",
            "mount the file into the Pod (volumes, volumeMounts) and set it as the registry's caFile"
        );
        values.LeaveOut("cachedImagesExpiryDelay", "copies are not deleted; configure a retention policy in the registry");
        foreach (var key in (string[])["registry", "registryUI", "proxy", "minio", "registryMonitors"])
            values.LeaveOut(key, CacheAdvice);
        values.LeaveOut("serviceAccount", "set serviceAccount in the chart's values");
        values.Skip("installCRD", "psp", "controllers");
        values.LeaveOutUnread();
    }

    private static void ReadWebhook(ForeignSection values, ForeignSection? webhook, ForeignTarget target, KubeImageKeeperResult result)
    {
        if (target.Prefix is not { } prefix)
        {
            values.Fault("", "kube-image-keeper 1 stores images in the cluster; say with --target REGISTRY[/PATH] where they go now");
            return;
        }
        var accepted = webhook?.Strings("acceptedImages") ?? [];
        foreach (var expression in accepted.Count > 0 ? accepted : [".*"])
            result.AddRule(expression, prefix, []);
        if (webhook is null)
            return;
        result.IgnoreNamespaces(webhook.Strings("ignoredNamespaces"));
        ImageSetMirrorConverter.ReadExcludes(webhook, "ignoredImages", result);
        webhook.LeaveOut("ignorePullPolicyAlways", "images of containers with imagePullPolicy: Always are rewritten too");
        webhook.LeaveOut("objectSelector", "set webhook.objectSelector in the chart's values");
        webhook.Skip("createCertificateIssuer", "certificateIssuerRef");
        webhook.LeaveOutUnread();
    }

    /// <summary>The configuration of the operator of version 2.</summary>
    private static void ReadOperator(ForeignSection configuration, KubeImageKeeperResult result)
    {
        if (configuration.Section("mirroring") is { } mirroring)
            foreach (var platform in mirroring.Sections("platforms"))
                result.AddPlatform(
                    string.Join(
                        '/',
                        ((string?[])[platform.String("os") ?? "linux", platform.String("architecture"), platform.String("variant")]).Where(
                            part => part is not null
                        )
                    )
                );
        if (configuration.Section("tls") is { } tls)
        {
            foreach (var registry in tls.Strings("insecureRegistries"))
                AddInsecure(tls, registry, result);
            tls.LeaveOut("rootCertificateAuthorities", "set each file as the caFile of its registry");
        }
        foreach (var key in (string[])["skipLabels", "skipAnnotations"])
            configuration.LeaveOut(key, "use the chart's webhook.objectSelector; proxyswapper.io/ignore: \"true\" opts a Pod out");
        configuration.LeaveOut("monitoring", "images are not monitored at their source; add logins for sources to registries");
        configuration.Skip("metrics", "routing");
        configuration.LeaveOutUnread();
    }

    private static void AddInsecure(ForeignSection section, string registry, KubeImageKeeperResult result)
    {
        const string Key = "insecureRegistries";
        var isPlain = registry.StartsWith("http://", StringComparison.OrdinalIgnoreCase);
        result.Registries.Find(section, Key, registry)?.Set(section, Key, isPlain ? "plainHttp" : "insecureSkipTlsVerify", true);
    }
}
