using System.Net.Http.Headers;
using System.Text;

namespace ProxySwapper.Registry.Transport;

/// <summary>The secrets of a request, in every form in which a server may echo them.</summary>
internal static class SentSecrets
{
    /// <summary>Shorter texts occur in many messages and are not real secrets.</summary>
    private const int Shortest = 4;

    public static IReadOnlyList<string> Of(AuthenticationHeaderValue? authorization, IReadOnlyList<string> ofBody)
    {
        if (authorization?.Parameter is not { } parameter)
            return ofBody.Count == 0 ? [] : [.. Forms(ofBody)];
        return [.. Forms([parameter, .. PasswordOf(authorization), .. ofBody])];
    }

    /// <summary>Longest first, so that a shorter one inside does not split it.</summary>
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
