namespace ProxySwapper.Registry.Clouds.Aws;

/// <summary>A password for a registry, valid for at most twelve hours.</summary>
/// <param name="Username">Always <c>AWS</c>.</param>
/// <param name="Password">The password.</param>
/// <param name="ExpiresAt">When it expires.</param>
public sealed record EcrAuthorization(string Username, string Password, DateTimeOffset ExpiresAt)
{
    /// <inheritdoc />
    public override string ToString() => $"{Username}:*** until {ExpiresAt:u}";
}
