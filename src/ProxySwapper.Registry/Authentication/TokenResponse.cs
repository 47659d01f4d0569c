using System.Text.Json;

namespace ProxySwapper.Registry.Authentication;

/// <summary>
/// The response of a token server
/// (<see href="https://distribution.github.io/distribution/spec/auth/token/">Docker Registry v2, token authentication</see>,
/// <see href="https://distribution.github.io/distribution/spec/auth/oauth/">OAuth2</see>): <c>token</c> or <c>access_token</c>,
/// and a new <c>refresh_token</c> if the server rotates them.
/// </summary>
internal sealed record TokenResponse(string Token, TimeSpan Lifetime, string? RefreshToken)
{
    /// <summary>The lifetime assumed if none is given, and the minimum lifetime, both from that specification.</summary>
    private const int ShortestLifetime = 60;
    private const int LongestLifetime = 24 * 60 * 60;

    /// <summary>Reads a response; null if it contains no token.</summary>
    public static TokenResponse? Read(ReadOnlySpan<byte> json)
    {
        string? token = null,
            accessToken = null,
            refreshToken = null;
        var lifetime = ShortestLifetime;
        try
        {
            var reader = new Utf8JsonReader(json);
            if (!reader.Read() || reader.TokenType != JsonTokenType.StartObject)
                return null;
            while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
            {
                var name = reader.GetString();
                reader.Read();
                if (name == "token")
                    token = Text(ref reader);
                else if (name == "access_token")
                    accessToken = Text(ref reader);
                else if (name == "refresh_token")
                    refreshToken = Text(ref reader);
                else if (name == "expires_in" && reader.TokenType == JsonTokenType.Number && reader.TryGetDouble(out var seconds))
                    lifetime = (int)Math.Clamp(seconds, ShortestLifetime, LongestLifetime);
                else
                    reader.Skip();
            }
        }
        catch (JsonException)
        {
            return null;
        }
        var value = string.IsNullOrEmpty(token) ? accessToken : token;
        return string.IsNullOrEmpty(value) ? null : new TokenResponse(value, TimeSpan.FromSeconds(lifetime), refreshToken);
    }

    private static string? Text(ref Utf8JsonReader reader)
    {
        if (reader.TokenType == JsonTokenType.String)
            return reader.GetString();
        reader.Skip();
        return null;
    }
}
