namespace ProxySwapper.Switching;

/// <summary>A webhook cannot be disabled or enabled; the message says what to do instead.</summary>
internal sealed class WebhookSwitchException(string message, Exception? innerException = null) : Exception(message, innerException);
