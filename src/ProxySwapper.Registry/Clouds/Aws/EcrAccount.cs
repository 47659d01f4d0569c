namespace ProxySwapper.Registry.Clouds.Aws;

/// <summary>Settings of one of Amazon's registries.</summary>
/// <param name="Profile">The profile of the AWS configuration files; null for the SDK's own chain.</param>
/// <param name="Region">Its region if the host name does not contain one; otherwise null.</param>
/// <param name="IsRequired">True if these credentials are required, with no anonymous access.</param>
public sealed record EcrAccount(string? Profile, string? Region, bool IsRequired);
