using Microsoft.AspNetCore.Http;

namespace ProxySwapper.Testing.Registries;

/// <summary>A fault of one request: answers it, or lets the registry answer and corrupts the response.</summary>
internal delegate Task RegistryFault(HttpContext context, RequestDelegate registry);
