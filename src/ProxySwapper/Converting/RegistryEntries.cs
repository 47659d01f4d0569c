using System.Text.Json.Nodes;

namespace ProxySwapper.Converting;

/// <summary>Entries of <c>registries</c> for logins in a file: they name a variable, never the secret itself.</summary>
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
        $"is read from the variable {Variable(host, "PASSWORD")}: set it from a Secret; the password in the file is not copied";

    /// <summary>The <c>auth</c> for a cloud provider; null for unknown names.</summary>
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
