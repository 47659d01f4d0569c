using System.Text.Json.Nodes;

namespace ProxySwapper.Converting;

/// <summary>Entries of <c>registries</c> for logins that a file holds itself: ours name a variable, never the secret.</summary>
internal static class RegistryEntries
{
    public static JsonObject Basic(string host) =>
        new()
        {
            ["host"] = host,
            ["auth"] = "basic",
            ["usernameFrom"] = new JsonObject { ["env"] = Variable(host, "USER") },
            ["passwordFrom"] = new JsonObject { ["env"] = Variable(host, "PASSWORD") },
        };

    public static string UserAdvice(string host) => $"is read from the variable {Variable(host, "USER")}: set it";

    public static string PasswordAdvice(string host) =>
        $"is read from the variable {Variable(host, "PASSWORD")}: set it from a Secret; the file's own is not copied";

    /// <summary>Our words for how a cloud's registry is opened; null for names that mean nothing to us.</summary>
    public static string? CloudAuth(string? provider) =>
        provider switch
        {
            "aws" => "ecr",
            "gcp" => "google",
            "azure" => "azure",
            _ => null,
        };

    private static string Variable(string host, string what) =>
        $"{string.Concat(host.Select(character => char.IsAsciiLetterOrDigit(character) ? char.ToUpperInvariant(character) : '_'))}_{what}";
}
