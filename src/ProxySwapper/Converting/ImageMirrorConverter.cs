using ProxySwapper.Patterns;

namespace ProxySwapper.Converting;

/// <summary>The spec of version 3's ImageMirror, whose copies are below the name of their registry as with <c>{registry}</c>.</summary>
internal static class ImageMirrorConverter
{
    private const string NamespaceName = "kubernetes.io/metadata.name";

    public static void Convert(ForeignSection spec, KubeImageKeeperResult result)
    {
        foreach (var pattern in spec.Strings("excludeImages"))
            if (ImagePattern.TryParse(pattern, out _, out var fault))
                result.Exclusions.ExcludeImages(spec, "excludeImages", pattern);
            else
                spec.LeaveOut("excludeImages", $"'{pattern}' {fault}");
        if (spec.Section("destination") is not { } destination || destination.String("path")?.TrimEnd('/') is not { } path)
        {
            spec.Fault("destination", "is required: a mapping with the path that copies go to");
            return;
        }
        ReadPolicies(spec);
        result.AddRule(".*", path, ReadNamespaces(spec));
        ReadAccess(destination, TargetPrefix.HostOf(path), result);
        spec.LeaveOut("podSelector", "select Pods with the chart's webhook.objectSelector");
        spec.LeaveOut("cleanup", "copies are not deleted; configure a retention policy in the registry");
        spec.LeaveOutUnread();
    }

    private static void ReadPolicies(ForeignSection spec)
    {
        switch (spec.String("rewritePolicy"))
        {
            case "Always":
                break;
            case "None":
                spec.LeaveOut(
                    "rewritePolicy",
                    "None copies without rewriting, which rules cannot do; use proxyswapper mirror with a list of images"
                );
                break;
            case null:
                spec.LeaveOut("destination", "OnFailure, the default, tries the original image first; here the target is always used");
                break;
            default:
                spec.LeaveOut("rewritePolicy", "OnFailure tries the original image first; here the target is always used");
                break;
        }
        if (spec.String("driftPolicy") is "Warn" or "Sync")
            spec.LeaveOut(
                "driftPolicy",
                "existing tags are not copied again; proxyswapper mirror with replace-tag: true does that, on a schedule"
            );
    }

    private static List<string> ReadNamespaces(ForeignSection spec)
    {
        if (spec.Section("namespaceSelector") is not { } selector)
            return [];
        var namespaces = new List<string>();
        if (selector.Section("matchLabels") is { } labels)
        {
            namespaces.AddRange(labels.Strings(NamespaceName));
            foreach (var label in labels.Keys.Where(label => label != NamespaceName).ToList())
                labels.Report(label, "select namespaces by label with the chart's webhook.namespaceSelector");
        }
        selector.LeaveOut("matchExpressions", "select namespaces by label with the chart's webhook.namespaceSelector");
        return namespaces;
    }

    private static void ReadAccess(ForeignSection destination, string host, KubeImageKeeperResult result)
    {
        if (destination.Boolean("insecure") == true)
            result.Registries.Find(destination, "path", host)?.Set(destination, "insecure", "plainHttp", true);
        if (destination.Section("manage")?.Section("auth") is { } auth)
        {
            var entry = result.Registries.Find(destination, "path", host);
            if (auth.Section("provider") is { } provider)
            {
                entry?.TrySetLogin(auth, "provider", new(RegistryEntries.CloudAuth(provider.String("name")) ?? "anonymous"));
                provider.LeaveOut(
                    "serviceAccountRef",
                    "the identity belongs to the release's ServiceAccount: set cloudIdentity in the chart's values"
                );
            }
            if (auth.Section("secretRef") is { } secret)
            {
                entry?.TrySetLogin(auth, "secretRef", new("dockerConfig"));
                secret.LeaveOut(
                    "name",
                    $"copy the Secret into the release's namespace: dockerConfigSecret: {secret.String("name")} in the chart's values"
                );
            }
        }
        if (destination.Section("pull")?.Section("auth") is { } pull)
            pull.Report(
                pull.Has("secretRef") ? "secretRef" : "provider",
                "Secrets are not copied to other namespaces: give the nodes, or each namespace, a pull secret for the target"
            );
        destination.LeaveOutUnread();
    }
}
