using System.Globalization;

namespace ProxySwapper.Kubernetes;

/// <summary>
/// Times with microseconds
/// (<see href="https://pkg.go.dev/k8s.io/apimachinery/pkg/apis/meta/v1#MicroTime">meta/v1 MicroTime</see>): always six digits, even for
/// whole seconds, or the server responds with 400.
/// </summary>
internal static class MicroTime
{
    public static string Format(DateTimeOffset instant) =>
        instant.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.ffffff'Z'", CultureInfo.InvariantCulture);

    /// <summary>Parses a time, or returns null if the text is not one.</summary>
    public static DateTimeOffset? Parse(string? text) =>
        DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var instant)
            ? instant.ToUniversalTime()
            : null;
}
