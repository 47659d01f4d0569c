using Microsoft.AspNetCore.Http;

namespace ProxySwapper.Testing.Registries;

/// <summary>What goes wrong with one request: it answers alone, or lets the registry answer and spoils that.</summary>
public delegate Task RegistryFault(HttpContext context, RequestDelegate registry);
