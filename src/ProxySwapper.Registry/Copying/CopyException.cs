namespace ProxySwapper.Registry.Copying;

/// <summary>An image cannot be copied as requested: it is malformed, too large, or lacks the requested platforms.</summary>
public sealed class CopyException(string message, Exception? innerException = null) : Exception(message, innerException);
