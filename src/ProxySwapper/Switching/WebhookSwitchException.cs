namespace ProxySwapper.Switching;

/// <summary>A webhook cannot be switched off or on; the message says what to do instead.</summary>
internal sealed class WebhookSwitchException(string message, Exception? innerException = null) : Exception(message, innerException);
