namespace ProxySwapper.Registry.Transport;

/// <summary>
/// One entry of a registry's <c>errors[]</c>
/// (<see href="https://github.com/opencontainers/distribution-spec/blob/main/spec.md#error-codes">distribution-spec, Error Codes</see>).
/// </summary>
/// <param name="Code">For instance <c>MANIFEST_UNKNOWN</c>.</param>
/// <param name="Message">The registry's own words.</param>
public sealed record RegistryError(string Code, string Message);
