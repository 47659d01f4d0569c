namespace ProxySwapper.Commands.Output;

/// <summary>What a failure means for people who have never read a registry's response; the page has the same sentences.</summary>
internal static class StatusReason
{
    private static readonly (string[] Words, string Meaning)[] Meanings =
    [
        (["HTTP 404"], "The registry has no such image, or hides it from us."),
        (["HTTP 401", "HTTP 403", "rejects our login"], "The registry refuses our login: it is missing, wrong, or may not do this."),
        (["HTTP 429"], "The registry grants no more pulls for now."),
        (["HTTP 5"], "The registry has an internal error."),
        (["certificate", "SSL", "TLS"], "The registry's certificate is not trusted here."),
        (
            ["refused", "unreachable", "resolve", "Name or service", "timed out", "no response", "did not respond", "connect"],
            "The registry cannot be reached."
        ),
        (["digest"], "The content differs from what was requested: its digest is another."),
    ];

    /// <summary>A sentence for a reason.</summary>
    public static string Meaning(string reason) =>
        Meanings.FirstOrDefault(entry => entry.Words.Any(word => reason.Contains(word, StringComparison.OrdinalIgnoreCase))).Meaning
        ?? "The copy failed.";
}
