using System.Globalization;

namespace ProxySwapper.Kubernetes;

/// <summary>
/// Times of the API server that have microseconds
/// (<see href="https://pkg.go.dev/k8s.io/apimachinery/pkg/apis/meta/v1#MicroTime">meta/v1 MicroTime</see>): always six digits, also on
/// a whole second, or the server answers 400.
/// </summary>
internal static class MicroTime
{
    public static string Format(DateTimeOffset instant) =>
        instant.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.ffffff'Z'", CultureInfo.InvariantCulture);

    /// <summary>A time as the server writes it, or null when the text is none.</summary>
    public static DateTimeOffset? Parse(string? text) =>
        DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var instant)
            ? instant.ToUniversalTime()
            : null;
}
