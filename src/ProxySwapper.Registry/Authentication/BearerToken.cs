namespace ProxySwapper.Registry.Authentication;

/// <summary>A token of a token server, and until when it is used. Its text shows no secret.</summary>
internal sealed record BearerToken(string Value, DateTimeOffset UsableUntil)
{
    public override string ToString() => $"token *** until {UsableUntil:u}";
}
