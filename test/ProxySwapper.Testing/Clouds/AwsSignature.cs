using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Http;

namespace ProxySwapper.Testing.Clouds;

/// <summary>
/// Verifies the signature of a request as AWS does, by recomputing it
/// (<see href="https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html">Signature Version 4</see>).
/// </summary>
internal static class AwsSignature
{
    private static readonly TimeSpan Tolerance = TimeSpan.FromMinutes(15);

    /// <summary>Who signed; or, in AWS's words, what is wrong with it.</summary>
    public static (AwsPrincipal? Principal, string Code, string Message) Check(
        HttpRequest request,
        byte[] body,
        string service,
        string region,
        Func<string, AwsPrincipal?> principalOf,
        TimeProvider time
    )
    {
        var parts = request.Headers.Authorization.ToString().Split([' ', ','], StringSplitOptions.RemoveEmptyEntries);
        if (parts is not ["AWS4-HMAC-SHA256", _, _, _])
            return (null, "MissingAuthenticationTokenException", "Missing Authentication Token");
        var fields = parts[1..].Select(part => part.Split('=', 2)).ToDictionary(pair => pair[0], pair => pair[1]);
        if (fields["Credential"].Split('/') is not [var key, var day, var namedRegion, var namedService, "aws4_request"])
            return Invalid("Credential must have exactly 5 slash-delimited elements");
        if (principalOf(key) is not { } principal || principal.SessionToken != TextOf(request, "x-amz-security-token"))
            return (null, "UnrecognizedClientException", "The security token included in the request is invalid.");
        if (principal.IsExpired)
            return (null, "ExpiredTokenException", "The security token included in the request is expired");
        if (namedRegion != region)
            return Invalid("Credential should be scoped to a valid region. ");
        if (namedService != service)
            return Invalid($"Credential should be scoped to correct service: '{service}'. ");
        var date = request.Headers["x-amz-date"].ToString();
        if (
            !DateTimeOffset.TryParseExact(
                date,
                "yyyyMMdd'T'HHmmss'Z'",
                CultureInfo.InvariantCulture,
                DateTimeStyles.AssumeUniversal,
                out var signed
            ) || !date.StartsWith(day, StringComparison.Ordinal)
        )
            return Invalid("Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP");
        if ((time.GetUtcNow() - signed).Duration() > Tolerance)
            return Invalid($"Signature expired: {date} is not within {Tolerance.TotalMinutes} min.");
        var names = fields["SignedHeaders"].Split(';');
        var unsigned = request
            .Headers.Select(header => header.Key.ToLowerInvariant())
            .Where(name => name == "host" || name.StartsWith("x-amz-", StringComparison.Ordinal))
            .Except(names)
            .ToList();
        if (unsigned.Count > 0)
            return Invalid($"'{string.Join(", ", unsigned)}' must be a 'SignedHeader' in the AWS Authorization.");
        var canonical =
            $"{request.Method}\n{request.Path}\n{request.QueryString.Value?.TrimStart('?')}\n"
            + $"{string.Concat(names.Select(name => $"{name}:{Trimmed(request, name)}\n"))}\n{fields["SignedHeaders"]}\n"
            + $"{Hex(SHA256.HashData(body))}";
        var text =
            $"AWS4-HMAC-SHA256\n{date}\n{day}/{region}/{service}/aws4_request\n{Hex(SHA256.HashData(Encoding.UTF8.GetBytes(canonical)))}";
        var signing = new[] { day, region, service, "aws4_request" }.Aggregate(
            Encoding.UTF8.GetBytes("AWS4" + principal.SecretAccessKey),
            Hash
        );
        return Hex(Hash(signing, text)) == fields["Signature"]
            ? (principal, "", "")
            : Invalid(
                "The request signature we calculated does not match the signature you provided. Check your AWS Secret "
                    + "Access Key and signing method. Consult the service documentation for details."
            );
    }

    private static (AwsPrincipal?, string, string) Invalid(string message) => (null, "InvalidSignatureException", message);

    private static string? TextOf(HttpRequest request, string name) =>
        request.Headers.TryGetValue(name, out var value) ? value.ToString() : null;

    private static string Trimmed(HttpRequest request, string name) =>
        string.Join(' ', request.Headers[name].ToString().Split(' ', StringSplitOptions.RemoveEmptyEntries));

    private static byte[] Hash(byte[] key, string text) => HMACSHA256.HashData(key, Encoding.UTF8.GetBytes(text));

    private static string Hex(byte[] bytes) => Convert.ToHexStringLower(bytes);
}
