using System.Globalization;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace ProxySwapper.Converting;

/// <summary>Entries of regsync's <c>creds</c>.</summary>
internal static partial class RegsyncCredentials
{
    private const string Host = "registry";

    public static void Read(ForeignSection registry, RegistryEntries entries)
    {
        if (entries.Find(registry, Host, registry.String(Host) ?? "") is { } entry)
            Read(registry, entry);
        registry.LeaveOut("regcert", "save it to a file and set that as the registry's caFile");
        foreach (var key in (string[])["clientCert", "clientKey"])
            registry.LeaveOut(key, "has no counterpart: registries are accessed with a login or an identity");
        foreach (var key in (string[])["hostname", "pathPrefix", "mirrors", "priority"])
            registry.LeaveOut(key, "has no counterpart: a registry is always contacted by its own name");
        registry.Skip("repoAuth", "blobChunk", "blobMax", "credExpire", "api", "scheme");
        registry.LeaveOutUnread();
    }

    private static void Read(ForeignSection registry, RegistryEntry entry)
    {
        ReadLogin(registry, entry);
        switch (registry.String("tls"))
        {
            case "disabled":
                entry.Set(registry, "tls", "plainHttp", true);
                break;
            case "insecure":
                entry.Set(registry, "tls", "insecureSkipTlsVerify", true);
                break;
        }
        if (double.TryParse(registry.String("reqPerSec"), NumberStyles.Float, CultureInfo.InvariantCulture, out var rate) && rate > 0)
            entry.Set(registry, "reqPerSec", "requestsPerSecond", rate);
        if (
            int.TryParse(registry.String("reqConcurrent"), NumberStyles.None, CultureInfo.InvariantCulture, out var concurrency)
            && concurrency > 0
        )
            entry.Set(registry, "reqConcurrent", "maxConcurrency", concurrency);
    }

    private static void ReadLogin(ForeignSection registry, RegistryEntry entry)
    {
        switch (registry.String("credHelper"))
        {
            case null:
                break;
            case "docker-credential-ecr-login" or "ecr-login":
                entry.TrySetLogin(registry, "credHelper", new("ecr"));
                return;
            case "docker-credential-gcr" or "docker-credential-gcloud" or "gcr" or "gcloud":
                entry.TrySetLogin(registry, "credHelper", new("google"));
                return;
            case { } helper:
                if (entry.TrySetLogin(registry, "credHelper", new("dockerConfig", helper)))
                    registry.LeaveOut(
                        "credHelper",
                        $"configure '{helper}' in Docker's config.json: credHelpers: {{\"{registry.String(Host)}\": \"…\"}}"
                    );
                return;
        }
        registry.LeaveOut("token", "has no counterpart: tokens are obtained automatically");
        var (user, password) = (registry.String("user"), registry.String("pass"));
        if (user is null && password is null)
            return;
        var (userSource, passwordSource) = (SourceOf(user), SourceOf(password));
        var login = new ForeignLogin(ForeignLogin.Basic, user, password);
        if (!entry.TrySetLogin(registry, user is null ? "pass" : "user", login, userSource, passwordSource))
            return;
        if (userSource is null)
            registry.LeaveOut("user", entry.UserAdvice);
        if (passwordSource is null)
            registry.LeaveOut("pass", entry.PasswordAdvice);
    }

    /// <summary>The source that a template reads: <c>{{env "NAME"}}</c> or <c>{{file "PATH"}}</c>.</summary>
    private static JsonObject? SourceOf(string? text) =>
        text is not null && Template().Match(text) is { Success: true } template
            ? new JsonObject { [template.Groups["kind"].Value] = template.Groups["what"].Value }
            : null;

    [GeneratedRegex(@"^\{\{-?\s*(?<kind>env|file)\s+""(?<what>[^""]+)""\s*-?\}\}$")]
    private static partial Regex Template();
}
