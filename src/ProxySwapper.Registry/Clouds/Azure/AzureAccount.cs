namespace ProxySwapper.Registry.Clouds.Azure;

/// <summary>Settings of one of Azure's registries.</summary>
/// <param name="ClientId">The application or managed identity to use; null for the default chain of Azure.Identity.</param>
/// <param name="TenantId">The identity's tenant; null for the process's own.</param>
/// <param name="IsRequired">True if these credentials are required, with no anonymous access.</param>
public sealed record AzureAccount(string? ClientId, string? TenantId, bool IsRequired);
