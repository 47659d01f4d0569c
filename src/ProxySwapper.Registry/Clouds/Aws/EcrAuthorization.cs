namespace ProxySwapper.Registry.Clouds.Aws;

/// <summary>What opens a registry until it expires, twelve hours after it was asked for at the most.</summary>
/// <param name="Username">Always <c>AWS</c>.</param>
/// <param name="Password">The password.</param>
/// <param name="ExpiresAt">When it ends.</param>
public sealed record EcrAuthorization(string Username, string Password, DateTimeOffset ExpiresAt)
{
    /// <inheritdoc />
    public override string ToString() => $"{Username}:*** until {ExpiresAt:u}";
}
