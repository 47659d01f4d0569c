namespace ProxySwapper.Registry.Clouds.Azure;

/// <summary>What is known of one of Azure's registries besides its name.</summary>
/// <param name="ClientId">The application or managed identity that opens it; null for whom Azure.Identity finds this process to be.</param>
/// <param name="TenantId">The identity's tenant; null for the process's own.</param>
/// <param name="IsRequired">True when it must be opened so, and never as anonymous.</param>
public sealed record AzureAccount(string? ClientId, string? TenantId, bool IsRequired);
