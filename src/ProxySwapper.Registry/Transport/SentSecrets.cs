using System.Net.Http.Headers;
using System.Text;

namespace ProxySwapper.Registry.Transport;

/// <summary>The secrets of a request, in every form in which a server may repeat them.</summary>
internal static class SentSecrets
{
    /// <summary>Shorter texts are in every other message, and no secrets that are worth the name.</summary>
    private const int Shortest = 4;

    public static IReadOnlyList<string> Of(AuthenticationHeaderValue? authorization, IReadOnlyList<string> ofBody)
    {
        if (authorization?.Parameter is not { } parameter)
            return ofBody.Count == 0 ? [] : [.. Forms(ofBody)];
        return [.. Forms([parameter, .. PasswordOf(authorization), .. ofBody])];
    }

    /// <summary>The longest first, so that none is cut by a shorter one within it.</summary>
    private static IEnumerable<string> Forms(IEnumerable<string> secrets) =>
        secrets
            .Where(secret => secret.Length >= Shortest)
            .SelectMany(secret => new[] { secret, Uri.EscapeDataString(secret) })
            .Distinct(StringComparer.Ordinal)
            .OrderByDescending(secret => secret.Length);

    private static IEnumerable<string> PasswordOf(AuthenticationHeaderValue authorization)
    {
        if (authorization.Scheme != "Basic")
            return [];
        var pair = Encoding.UTF8.GetString(Convert.FromBase64String(authorization.Parameter!));
        return [pair[(pair.IndexOf(':', StringComparison.Ordinal) + 1)..]];
    }
}
