namespace ProxySwapper.Testing.Clouds;

/// <summary>A principal at AWS with the keys that sign its requests.</summary>
/// <param name="AccessKeyId">The key's public half.</param>
/// <param name="SecretAccessKey">The signing key.</param>
/// <param name="SessionToken">The session token of temporary keys; null for a user's keys.</param>
internal sealed record AwsPrincipal(string AccessKeyId, string SecretAccessKey, string? SessionToken = null)
{
    /// <summary>The twelve digits of its account.</summary>
    public string Account { get; init; } = "123456789012";

    public string Arn =>
        SessionToken is null ? $"arn:aws:iam::{Account}:user/of-a-test" : $"arn:aws:sts::{Account}:assumed-role/of-a-test/session";

    /// <summary>Set when temporary keys have expired.</summary>
    public bool IsExpired { get; init; }
}
