namespace ProxySwapper.Registry.Copying;

/// <summary>An image cannot be copied as it was asked for: it is malformed, too large, or lacks the platforms that were named.</summary>
public sealed class CopyException(string message, Exception? innerException = null) : Exception(message, innerException);
