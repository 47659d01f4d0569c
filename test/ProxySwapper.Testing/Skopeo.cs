using System.Security.Cryptography;
using System.Text;

namespace ProxySwapper.Testing;

/// <summary>Debian's <c>skopeo</c>, a second opinion on what a registry holds.</summary>
internal static class Skopeo
{
    /// <summary>The digest of what a reference points at, of the bytes that skopeo gets; null when it gets none.</summary>
    public static async Task<string?> DigestAsync(string reference, string? credentials = null)
    {
        var (exitCode, output, _) = await RunAsync(["inspect", "--raw", "--tls-verify=false", .. Credentials(credentials), $"docker://{reference}"]);
        return exitCode == 0 ? $"sha256:{Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(output)))}" : null;
    }

    /// <summary>Pulls an image with all its platforms and layers.</summary>
    /// <exception cref="InvalidOperationException">It cannot be pulled; the message is what skopeo said.</exception>
    public static async Task PullAsync(string reference, string? credentials = null)
    {
        var folder = Directory.CreateTempSubdirectory("skopeo-");
        var (exitCode, output, error) = await RunAsync(["copy", "--all", "--src-tls-verify=false", .. Credentials(credentials, "--src-creds"), $"docker://{reference}", $"oci:{folder.FullName}:x"]);
        folder.Delete(recursive: true);
        if (exitCode != 0) throw new InvalidOperationException($"skopeo copy {reference}: {error}{output}");
    }

    private static string[] Credentials(string? credentials, string option = "--creds") => credentials is null ? [] : [option, credentials];

    private static Task<(int ExitCode, string Output, string Error)> RunAsync(string[] arguments) => TestProcess.RunAsync("skopeo", arguments);
}
