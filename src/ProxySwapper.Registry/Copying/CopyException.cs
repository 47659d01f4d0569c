namespace ProxySwapper.Registry.Copying;

/// <summary>An image cannot be copied as it was asked for: it is malformed, or has not the platforms that were named.</summary>
public sealed class CopyException(string message) : Exception(message);
