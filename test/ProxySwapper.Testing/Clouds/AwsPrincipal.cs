namespace ProxySwapper.Testing.Clouds;

/// <summary>Somebody whom AWS knows, and the keys that requests are signed with.</summary>
/// <param name="AccessKeyId">The key's public half.</param>
/// <param name="SecretAccessKey">What signs.</param>
/// <param name="SessionToken">What has to come along with temporary keys; null with those of a user.</param>
public sealed record AwsPrincipal(string AccessKeyId, string SecretAccessKey, string? SessionToken = null)
{
    /// <summary>The twelve digits of its account.</summary>
    public string Account { get; init; } = "123456789012";

    public string Arn =>
        SessionToken is null ? $"arn:aws:iam::{Account}:user/of-a-test" : $"arn:aws:sts::{Account}:assumed-role/of-a-test/session";

    /// <summary>Set when temporary keys have come to their end.</summary>
    public bool IsExpired { get; init; }
}
