using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text;
using ProxySwapper.Configuration;
using ProxySwapper.Registry;

namespace ProxySwapper.Management;

/// <summary>
/// The token that pages of the management port require: as <c>Authorization: Bearer TOKEN</c>, or as the password of Basic with any user,
/// which browsers can send.
/// </summary>
/// <param name="source">Where to read the token; a file is read for each request, so that it can be rotated.</param>
/// <param name="environment">Variables of the environment.</param>
/// <param name="logger">Logs that the token cannot be read.</param>
internal sealed partial class ManagementToken(SecretSource source, EnvironmentVariables environment, ILogger<ManagementToken> logger)
{
    /// <summary>Whether a request has the token; always false if the token cannot be read or is empty.</summary>
    public bool IsGivenBy(HttpRequest request)
    {
        if (!AuthenticationHeaderValue.TryParse(request.Headers.Authorization, out var header) || header.Parameter is not { } parameter)
            return false;
        var given =
            "Bearer".Equals(header.Scheme, StringComparison.OrdinalIgnoreCase) ? parameter
            : "Basic".Equals(header.Scheme, StringComparison.OrdinalIgnoreCase) ? PasswordOf(parameter)
            : null;
        return given is not null && Read() is { Length: > 0 } token && AreEqual(given, token);
    }

    private string? Read()
    {
        try
        {
            var token = source.File is { } file ? TextFile.Read(file) : environment[source.Environment!];
            if (string.IsNullOrWhiteSpace(token))
                Log.Missing(logger, $"{source.File ?? source.Environment} is empty");
            return token?.Trim();
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            Log.Missing(logger, exception.Message);
            return null;
        }
    }

    private static string? PasswordOf(string parameter)
    {
        var bytes = new byte[parameter.Length];
        if (!Convert.TryFromBase64String(parameter, bytes, out var length))
            return null;
        var pair = Encoding.UTF8.GetString(bytes, 0, length);
        var colon = pair.IndexOf(':');
        return colon < 0 ? null : pair[(colon + 1)..];
    }

    /// <summary>Takes the same time wherever they differ and however long they are.</summary>
    private static bool AreEqual(string given, string token) =>
        CryptographicOperations.FixedTimeEquals(
            SHA256.HashData(Encoding.UTF8.GetBytes(given)),
            SHA256.HashData(Encoding.UTF8.GetBytes(token))
        );

    private static partial class Log
    {
        [LoggerMessage(1, LogLevel.Warning, "Cannot read the management token, denying access to its pages: {Reason}")]
        public static partial void Missing(ILogger logger, string reason);
    }
}
