namespace ProxySwapper.Commands.Output;

/// <summary>What a failure means for people who have never read a registry's response; the page has the same sentences.</summary>
internal static class StatusReason
{
    private static readonly (string[] Words, string Meaning)[] Meanings =
    [
        (["HTTP 404"], "The registry does not have this image, or hides it from us."),
        (
            ["HTTP 401", "HTTP 403", "rejects our login"],
            "The registry rejects our credentials: they are missing, wrong or lack permission."
        ),
        (["HTTP 429"], "The rate limit of the registry is reached."),
        (["HTTP 5"], "The registry has an internal error."),
        (["certificate", "SSL", "TLS"], "The registry's certificate is not trusted."),
        (
            ["unreachable", "resolve", "name resolution", "Name or service", "timed out", "no response", "did not respond", "connect"],
            "The registry cannot be reached."
        ),
        (["digest"], "The content does not have the expected digest."),
    ];

    /// <summary>A sentence for a reason.</summary>
    public static string Meaning(string reason) =>
        Meanings.FirstOrDefault(entry => entry.Words.Any(word => reason.Contains(word, StringComparison.OrdinalIgnoreCase))).Meaning
        ?? "The copy failed.";
}
