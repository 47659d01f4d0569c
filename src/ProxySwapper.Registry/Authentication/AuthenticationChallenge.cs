using System.Net.Http.Headers;

namespace ProxySwapper.Registry.Authentication;

/// <summary>One challenge of a 401: its scheme, and its parameters by name without regard to case.</summary>
internal sealed record AuthenticationChallenge(string Scheme, IReadOnlyDictionary<string, string> Parameters)
{
    public bool IsBearer => Scheme.Equals("Bearer", StringComparison.OrdinalIgnoreCase);

    public bool IsBasic => Scheme.Equals("Basic", StringComparison.OrdinalIgnoreCase);

    public string? Realm => Parameters.GetValueOrDefault("realm");

    public string? Service => Parameters.GetValueOrDefault("service");

    /// <summary>The scopes in the challenge.</summary>
    public IReadOnlyList<string> Scopes => Parameters.GetValueOrDefault("scope")?.Split(' ', StringSplitOptions.RemoveEmptyEntries) ?? [];

    /// <summary>The challenge to respond to: Bearer if offered, else Basic; null if there is neither.</summary>
    public static AuthenticationChallenge? Of(HttpResponseHeaders headers)
    {
        if (!headers.NonValidated.TryGetValues("WWW-Authenticate", out var values))
            return null;
        var challenges = values.SelectMany(AuthenticationChallengeParser.Parse).ToList();
        return challenges.Find(challenge => challenge.IsBearer && challenge.Realm is not null)
            ?? challenges.Find(challenge => challenge.IsBasic);
    }
}
