namespace ProxySwapper.Converting;

/// <summary>The spec of version 2's ImageSetMirror and ClusterImageSetMirror.</summary>
internal static class ImageSetMirrorConverter
{
    private const string LabelAdvice =
        "select Pods by label with the chart's webhook.objectSelector; proxyswapper.io/ignore: \"true\" opts a Pod out";

    /// <param name="spec">The spec.</param>
    /// <param name="ownNamespace">The namespace of an ImageSetMirror, or null.</param>
    /// <param name="result">Receives the rules and settings.</param>
    public static void Convert(ForeignSection spec, string? ownNamespace, KubeImageKeeperResult result)
    {
        var (images, namespaces) = (new List<string>(), new List<string>());
        if (ownNamespace is not null)
            namespaces.Add(ownNamespace);
        if (spec.Section("imageFilter") is { } filter)
        {
            images.AddRange(filter.Strings("include"));
            ReadExcludes(filter, "exclude", result);
            filter.LeaveOutUnread();
        }
        if (spec.Section("filter") is { } unified)
            ReadFilter(unified, images, namespaces, result);
        var isCopied = false;
        foreach (var mirror in spec.Sections("mirrors"))
            if (isCopied)
                mirror.LeaveOut("", "a rule has one target: only the first mirror is used");
            else
                isCopied = AddMirror(mirror, images, namespaces, result);
        if (!(int.TryParse(spec.String("priority"), out var priority) && priority < 0))
            spec.LeaveOut(
                spec.Has("priority") ? "priority" : "mirrors",
                "kube-image-keeper tries the original image first; here the target is always used, "
                    + "and a Pod whose images cannot be copied there keeps its original images"
            );
        spec.LeaveOut("cleanup", "copies are not deleted; configure a retention policy in the registry");
        spec.LeaveOutUnread();
    }

    private static void ReadFilter(ForeignSection filter, List<string> images, List<string> namespaces, KubeImageKeeperResult result)
    {
        foreach (var item in filter.Sections("include"))
        {
            images.AddRange(item.Strings("image"));
            foreach (var expression in item.Strings("namespace"))
                if (ForeignPattern.OfNamespaces(expression) is { } names)
                    namespaces.AddRange(names);
                else
                    item.LeaveOut("namespace", $"'{expression}' cannot be expressed with *; list the namespaces in the rule");
            LeaveOutLabels(item);
        }
        foreach (var item in filter.Sections("exclude"))
        {
            ReadExcludes(item, "image", result);
            foreach (var expression in item.Strings("namespace"))
                if (ForeignPattern.OfNamespaces(expression) is { } names)
                    foreach (var name in names)
                        result.Exclusions.ExcludeNamespaces(item, "namespace", name);
                else
                    item.LeaveOut("namespace", $"'{expression}' cannot be expressed with *; list the namespaces in ignoreNamespaces");
            LeaveOutLabels(item);
        }
    }

    public static void ReadExcludes(ForeignSection section, string key, KubeImageKeeperResult result)
    {
        foreach (var expression in section.Strings(key))
            if (ForeignPattern.OfImages(expression) is { } pattern)
                result.Exclusions.ExcludeImages(section, key, pattern);
            else
                section.LeaveOut(key, $"'{expression}' is a regular expression; ignoreImages takes patterns with * and **");
    }

    private static bool AddMirror(ForeignSection mirror, List<string> images, List<string> namespaces, KubeImageKeeperResult result)
    {
        if (mirror.String("registry") is not { } registry)
        {
            mirror.Fault("registry", "is required");
            return false;
        }
        var path = mirror.String("path")?.Trim('/');
        var prefix = string.IsNullOrEmpty(path) ? registry : $"{registry}/{path}";
        foreach (var expression in images.Count > 0 ? images : [".*"])
            result.AddRule(expression, prefix, namespaces);
        if (mirror.Section("credentialSecret") is { } secret)
        {
            result.Registries.Find(mirror, "registry", registry)?.TrySetLogin(mirror, "credentialSecret", new("dockerConfig"));
            secret.LeaveOut(
                "name",
                $"copy the Secret into the release's namespace: dockerConfigSecret: {secret.String("name")} in the chart's values"
            );
            secret.Skip("namespace");
        }
        mirror.LeaveOut("cleanup", "copies are not deleted; configure a retention policy in the registry");
        mirror.LeaveOutUnread();
        return true;
    }

    private static void LeaveOutLabels(ForeignSection item)
    {
        item.LeaveOut("label", LabelAdvice);
        item.LeaveOut("annotation", LabelAdvice);
    }
}
