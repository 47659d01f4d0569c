namespace ProxySwapper.Configuration;

/// <summary>How log lines are written.</summary>
internal enum LogFormat
{
    /// <summary>One JSON object per line, on standard output, for collectors.</summary>
    Json,

    /// <summary>Text for people, on standard error.</summary>
    Text,
}
