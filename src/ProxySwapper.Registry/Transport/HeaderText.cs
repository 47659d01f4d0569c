namespace ProxySwapper.Registry.Transport;

/// <summary>Text that is sent as the value of a header, such as a token.</summary>
public static class HeaderText
{
    /// <summary>What it must be, for a message.</summary>
    public const string Rule = "printable ASCII characters, on one line";

    /// <summary>Whether it can be sent: a line break would start another header, and HTTP has no encoding for other characters.</summary>
    public static bool IsValid(string text) => !text.AsSpan().ContainsAnyExceptInRange(' ', '~');
}
