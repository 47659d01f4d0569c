using System.Security.Cryptography;
using System.Text;
using ProxySwapper.Testing.Processes;

namespace ProxySwapper.Testing.Registries;

/// <summary>Debian's <c>skopeo</c>, to verify the content of registries independently.</summary>
internal static class Skopeo
{
    /// <summary>The digest of the bytes that skopeo gets for a reference; null if it gets none.</summary>
    public static async Task<string?> DigestAsync(string reference, string? credentials = null)
    {
        var (exitCode, output, _) = await TryAsync([
            "inspect",
            "--raw",
            "--tls-verify=false",
            .. Credentials(credentials),
            $"docker://{reference}",
        ]);
        return exitCode == 0 ? $"sha256:{Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(output)))}" : null;
    }

    /// <summary>Pulls an image with all its platforms and layers.</summary>
    /// <exception cref="InvalidOperationException">It cannot be pulled; the message is skopeo's.</exception>
    public static async Task PullAsync(string reference, string? credentials = null)
    {
        var folder = Directory.CreateTempSubdirectory("skopeo-");
        var (exitCode, output, error) = await TryAsync([
            "copy",
            "--all",
            "--src-tls-verify=false",
            .. Credentials(credentials, "--src-creds"),
            $"docker://{reference}",
            $"oci:{folder.FullName}:x",
        ]);
        folder.Delete(recursive: true);
        if (exitCode != 0)
            throw new InvalidOperationException($"skopeo copy {reference}: {error}{output}");
    }

    /// <summary>Runs it without a policy and returns its output.</summary>
    /// <exception cref="InvalidOperationException">It failed; the message is its own.</exception>
    public static async Task<string> RunAsync(params IEnumerable<string> arguments)
    {
        var (exitCode, output, error) = await TryAsync(["--insecure-policy", .. arguments]);
        return exitCode == 0 ? output : throw new InvalidOperationException($"skopeo {string.Join(' ', arguments)}: {error}{output}");
    }

    private static string[] Credentials(string? credentials, string option = "--creds") => credentials is null ? [] : [option, credentials];

    private static Task<(int ExitCode, string Output, string Error)> TryAsync(IEnumerable<string> arguments) =>
        TestProcess.RunAsync("skopeo", [.. arguments]);
}
