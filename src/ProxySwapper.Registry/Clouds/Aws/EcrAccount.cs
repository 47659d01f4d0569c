namespace ProxySwapper.Registry.Clouds.Aws;

/// <summary>What is known of one of Amazon's registries besides its name.</summary>
/// <param name="Profile">The profile of the AWS configuration files that opens it; null for the SDK's own chain.</param>
/// <param name="Region">Its region where the name does not tell it; null where it does.</param>
/// <param name="IsRequired">True when it must be opened so, and never as anonymous.</param>
public sealed record EcrAccount(string? Profile, string? Region, bool IsRequired);
