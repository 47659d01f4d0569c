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
            AddInsecure(registry, result);
        values.LeaveOut(
            "rootCertificateAuthorities",
            "mount its file into the Pod (volumes, volumeMounts) and name it as the registry's caFile"
        );
        values.LeaveOut("cachedImagesExpiryDelay", "copies are not deleted; let the registry remove what is old");
        foreach (var key in (string[])["registry", "registryUI", "proxy", "minio", "registryMonitors"])
            values.LeaveOut(key, CacheAdvice);
        values.LeaveOut("serviceAccount", "serviceAccount of our chart");
        values.Skip("installCRD", "psp", "controllers");
        values.LeaveOutUnread();
    }

    private static void ReadWebhook(ForeignSection values, ForeignSection? webhook, ForeignTarget target, KubeImageKeeperResult result)
    {
        if (target.Prefix is not { } prefix)
        {
            values.Fault("", "kube-image-keeper 1 keeps images in the cluster; give --target REGISTRY[/PATH], where they go now");
            return;
        }
        var accepted = webhook?.Strings("acceptedImages") ?? [];
        foreach (var expression in accepted.Count > 0 ? accepted : [".*"])
            result.AddRule(expression, prefix, []);
        if (webhook is null)
            return;
        result.IgnoreNamespaces(webhook.Strings("ignoredNamespaces"));
        ImageSetMirrorConverter.ReadExcludes(webhook, "ignoredImages", result);
        webhook.LeaveOut("ignorePullPolicyAlways", "containers with imagePullPolicy: Always are sent to the target too");
        webhook.LeaveOut("objectSelector", "webhook.objectSelector of our chart takes it");
        webhook.Skip("createCertificateIssuer", "certificateIssuerRef");
        webhook.LeaveOutUnread();
    }

    /// <summary>The configuration of version 2's operator.</summary>
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
                AddInsecure(registry, result);
            tls.LeaveOut("rootCertificateAuthorities", "name each file as the caFile of the registry that it is for");
        }
        foreach (var key in (string[])["skipLabels", "skipAnnotations"])
            configuration.LeaveOut(key, "select Pods by the chart's webhook.objectSelector; proxyswapper.io/ignore: \"true\" opts one out");
        configuration.LeaveOut("monitoring", "images are not watched at their source; a login for one is an entry of registries");
        configuration.Skip("metrics", "routing");
        configuration.LeaveOutUnread();
    }

    private static void AddInsecure(string registry, KubeImageKeeperResult result)
    {
        if (registry.StartsWith("http://", StringComparison.OrdinalIgnoreCase))
            result.Registry(registry["http://".Length..].TrimEnd('/'))["plainHttp"] = true;
        else
            result.Registry(registry.Replace("https://", "", StringComparison.OrdinalIgnoreCase).TrimEnd('/'))["insecureSkipTlsVerify"] =
                true;
    }
}
