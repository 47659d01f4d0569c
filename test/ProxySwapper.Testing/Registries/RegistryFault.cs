using Microsoft.AspNetCore.Http;

namespace ProxySwapper.Testing.Registries;

/// <summary>A fault of one request: responds to it, or lets the registry respond and corrupts the response.</summary>
internal delegate Task RegistryFault(HttpContext context, RequestDelegate registry);
