using System.Text.Json.Nodes;
using ProxySwapper.Registry;

namespace ProxySwapper.Converting;

/// <summary>
/// The file of <c>skopeo sync --src yaml</c> (<see href="https://github.com/containers/skopeo/blob/main/docs/skopeo-sync.1.md"/>): the
/// repositories of each registry with tags, a regular expression or a version range.
/// </summary>
/// <param name="target">The destination and <c>--scoped</c>, which are on skopeo's command line.</param>
internal sealed class SkopeoSyncConverter(ForeignTarget target)
{
    private readonly MirrorEntries _entries = new("as with skopeo; use --scoped to keep them apart");

    public JsonObject Convert(ForeignSection top)
    {
        var registries = new RegistryEntries();
        if (target.Prefix is null)
            top.Fault("", "the file has no destination; use --target REGISTRY[/PATH], the same as on skopeo sync's command line");
        foreach (var host in top.Keys)
            if (top.Section(host) is { } registry)
            {
                ReadRepositories(host, registry);
                if (registries.Find(top, host, host) is { } entry)
                    ReadAccess(registry, entry);
                registry.LeaveOutUnread();
            }
        return _entries.ToFile(registries);
    }

    private void ReadRepositories(string host, ForeignSection registry)
    {
        if (registry.Section("images") is { } images)
            foreach (var name in images.Keys)
                ReadTags(images, host, name);
        if (registry.Section("images-by-tag-regex") is { } expressions)
            foreach (var name in expressions.Keys)
                if (Add(expressions, host, name) is { } entry)
                    entry["tags"] = new JsonObject { ["allow"] = new JsonArray(Anchor(expressions.String(name) ?? "")) };
        if (registry.Section("images-by-semver") is { } ranges)
            foreach (var name in ranges.Keys)
                if (Add(ranges, host, name) is { } entry)
                    (entry["mode"], entry["semverRange"]) = ("semver", ranges.String(name));
    }

    private void ReadTags(ForeignSection images, string host, string name)
    {
        var references = images.Strings(name);
        var digests = references.Where(reference => Digest.TryParse(reference, out _)).ToList();
        foreach (var digest in digests)
            images.LeaveOut(name, $"copy a digest with: proxyswapper copy {host}/{name}@{digest} {Destination(host, name)}");
        if (digests.Count > 0 && digests.Count == references.Count)
            return;
        if (Add(images, host, name) is { } entry && references.Count > 0)
            entry["tags"] = new JsonObject { ["allow"] = MirrorEntries.Exactly(references.Except(digests)) };
    }

    private JsonObject? Add(ForeignSection section, string host, string name)
    {
        if (ImageReference.TryParse($"{host}/{name}", out var source, out var fault))
            return _entries.Add(section, name, source, Destination(host, name));
        section.Fault(name, $"invalid repository '{host}/{name}': {fault}");
        return null;
    }

    private string Destination(string host, string name) =>
        $"{target.Prefix}/{(target.IsScoped ? $"{host}/{name}" : name[(name.LastIndexOf('/') + 1)..])}";

    private static void ReadAccess(ForeignSection registry, RegistryEntry entry)
    {
        if (registry.Section("credentials") is { } credentials)
        {
            var login = new ForeignLogin(ForeignLogin.Basic, credentials.String("username"), credentials.String("password"));
            if (entry.TrySetLogin(registry, "credentials", login))
            {
                credentials.LeaveOut("username", entry.UserAdvice);
                credentials.LeaveOut("password", entry.PasswordAdvice);
            }
        }
        if (registry.Boolean("tls-verify") == false)
        {
            entry.Set(registry, "tls-verify", "insecureSkipTlsVerify", true);
            registry.LeaveOut("tls-verify", "accepts any certificate; for a registry without TLS, use plainHttp: true instead");
        }
        registry.LeaveOut("cert-dir", "save its authorities in one PEM file and set that as the registry's caFile");
    }

    /// <summary>skopeo searches for an expression anywhere in a tag; ours has to match the whole tag.</summary>
    private static string Anchor(string expression)
    {
        var start = expression.StartsWith('^') ? "" : ".*";
        var end = expression.EndsWith('$') ? "" : ".*";
        return start.Length + end.Length == 0 ? ForeignPattern.Anchor(expression) : $"{start}(?:{ForeignPattern.Anchor(expression)}){end}";
    }
}
