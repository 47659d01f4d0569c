using System.Globalization;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace ProxySwapper.Converting;

/// <summary>Entries of regsync's <c>creds</c>.</summary>
internal static partial class RegsyncCredentials
{
    public static JsonObject? Read(ForeignSection registry)
    {
        var host = registry.String("registry") ?? "";
        var entry = new JsonObject { ["host"] = host };
        ReadLogin(registry, host, entry);
        switch (registry.String("tls"))
        {
            case "disabled":
                entry["plainHttp"] = true;
                break;
            case "insecure":
                entry["insecureSkipTlsVerify"] = true;
                break;
        }
        if (double.TryParse(registry.String("reqPerSec"), NumberStyles.Float, CultureInfo.InvariantCulture, out var rate) && rate > 0)
            entry["requestsPerSecond"] = rate;
        if (
            int.TryParse(registry.String("reqConcurrent"), NumberStyles.None, CultureInfo.InvariantCulture, out var concurrency)
            && concurrency > 0
        )
            entry["maxConcurrency"] = concurrency;
        registry.LeaveOut("regcert", "save it to a file and set that as the registry's caFile");
        foreach (var key in (string[])["clientCert", "clientKey"])
            registry.LeaveOut(key, "has no counterpart: registries are accessed with a login or an identity");
        foreach (var key in (string[])["hostname", "pathPrefix", "mirrors", "priority"])
            registry.LeaveOut(key, "has no counterpart: a registry is always contacted by its own name");
        registry.Skip("repoAuth", "blobChunk", "blobMax", "credExpire", "api", "scheme");
        registry.LeaveOutUnread();
        return entry.Count > 1 ? entry : null;
    }

    private static void ReadLogin(ForeignSection registry, string host, JsonObject entry)
    {
        switch (registry.String("credHelper"))
        {
            case null:
                break;
            case "docker-credential-ecr-login" or "ecr-login":
                entry["auth"] = "ecr";
                return;
            case "docker-credential-gcr" or "docker-credential-gcloud" or "gcr" or "gcloud":
                entry["auth"] = "google";
                return;
            case { } helper:
                entry["auth"] = "dockerConfig";
                registry.LeaveOut("credHelper", $"configure '{helper}' in Docker's config.json: credHelpers: {{\"{host}\": \"…\"}}");
                return;
        }
        registry.LeaveOut("token", "has no counterpart: tokens are obtained automatically");
        if (!registry.Has("user") && !registry.Has("pass"))
            return;
        entry["auth"] = "basic";
        var literal = RegistryEntries.Basic(host);
        entry["usernameFrom"] = SourceOf(registry.String("user")) ?? literal["usernameFrom"]!.DeepClone();
        entry["passwordFrom"] = SourceOf(registry.String("pass")) ?? literal["passwordFrom"]!.DeepClone();
        if (SourceOf(registry.String("user")) is null)
            registry.LeaveOut("user", RegistryEntries.UserAdvice(host));
        if (SourceOf(registry.String("pass")) is null)
            registry.LeaveOut("pass", RegistryEntries.PasswordAdvice(host));
    }

    /// <summary>The source that a template reads: <c>{{env "NAME"}}</c> or <c>{{file "PATH"}}</c>.</summary>
    private static JsonObject? SourceOf(string? text) =>
        text is not null && Template().Match(text) is { Success: true } template
            ? new JsonObject { [template.Groups["kind"].Value] = template.Groups["what"].Value }
            : null;

    [GeneratedRegex(@"^\{\{-?\s*(?<kind>env|file)\s+""(?<what>[^""]+)""\s*-?\}\}$")]
    private static partial Regex Template();
}
