using System.Diagnostics;
using System.Text.Json;

namespace ProxySwapper.Registry.Credentials;

/// <summary>
/// Runs a program named <c>docker-credential-NAME</c>, with <c>get</c> as its argument and the server on its standard input
/// (<see href="https://github.com/docker/docker-credential-helpers">docker-credential-helpers</see>).
/// </summary>
internal sealed class CredentialHelperProcess(string name, TimeProvider time)
{
    private const string DockerHub = "https://index.docker.io/v1/";
    private const int MaximumOutput = 64 * 1024;
    internal static readonly TimeSpan Timeout = TimeSpan.FromSeconds(30);

    /// <exception cref="RegistryCredentialException">The helper is missing, failed, or returned invalid output.</exception>
    public async Task<RegistryCredential?> GetAsync(RegistryName registry, CancellationToken cancellationToken)
    {
        if (name.AsSpan().ContainsAny('/', '\\'))
            throw new RegistryCredentialException($"'{name}' is not a valid credential helper name");
        var program = new CredentialProgram(Timeout, MaximumOutput, time);
        var input = registry.IsDockerHub ? DockerHub : registry.Text;
        try
        {
            // Its standard error is not shown, since it may contain anything.
            var result = await program.RunAsync(new ProcessStartInfo($"docker-credential-{name}", ["get"]), input, cancellationToken);
            return Read(result.Output, result.ExitCode);
        }
        catch (CredentialProgramException fault)
        {
            throw new RegistryCredentialException($"the credential helper docker-credential-{name} {fault.Message}", fault);
        }
    }

    private RegistryCredential? Read(string output, int exitCode)
    {
        // In the protocol, this means that there is no credential.
        if (output.Contains("credentials not found", StringComparison.OrdinalIgnoreCase))
            return null;
        if (exitCode != 0)
            throw new RegistryCredentialException($"the credential helper docker-credential-{name} failed with exit code {exitCode}");
        try
        {
            using var document = JsonDocument.Parse(output);
            var (username, secret) = (
                document.RootElement.GetProperty("Username").GetString(),
                document.RootElement.GetProperty("Secret").GetString()
            );
            if (string.IsNullOrEmpty(secret))
                return null;
            return username == "<token>" ? RegistryCredential.Identity(secret) : RegistryCredential.Basic(username ?? "", secret);
        }
        catch (Exception fault) when (fault is JsonException or KeyNotFoundException or InvalidOperationException)
        {
            throw new RegistryCredentialException($"the credential helper docker-credential-{name} did not return a credential");
        }
    }
}
