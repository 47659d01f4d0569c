using System.ComponentModel;
using System.Diagnostics;
using System.Text;
using System.Text.Json;
using ProxySwapper.Registry.Timing;

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
        using var process = new Process
        {
            StartInfo = new ProcessStartInfo($"docker-credential-{name}", ["get"])
            {
                RedirectStandardInput = true,
                RedirectStandardOutput = true,
                RedirectStandardError = true,
            },
        };
        using var timeout = new OperationTimeout(Timeout, time, cancellationToken);
        var isStarted = false;
        try
        {
            isStarted = process.Start();
            process.ErrorDataReceived += (_, _) => { }; // read so that it cannot block; never shown, since it may contain anything
            process.BeginErrorReadLine();
            await WriteServerAsync(process.StandardInput, registry.IsDockerHub ? DockerHub : registry.Text);
            var output = await ReadAsync(process.StandardOutput, timeout.Token);
            await process.WaitForExitAsync(timeout.Token);
            return Read(output, process.ExitCode);
        }
        catch (Exception fault) when (fault is Win32Exception or IOException)
        {
            throw new RegistryCredentialException($"the credential helper docker-credential-{name} cannot be run: {fault.Message}", fault);
        }
        catch (OperationCanceledException) when (timeout.HasPassed)
        {
            throw new RegistryCredentialException(
                $"the credential helper docker-credential-{name} timed out after {Timeout.TotalSeconds} s"
            );
        }
        finally
        {
            // It must not keep running after a timeout.
            if (isStarted && !process.HasExited)
                process.Kill(entireProcessTree: true);
        }
    }

    private static async Task WriteServerAsync(StreamWriter input, string server)
    {
        try
        {
            await input.WriteAsync(server);
            input.Close();
        }
        catch (IOException)
        {
            // It exited without reading its input; its output counts.
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

    private async Task<string> ReadAsync(StreamReader reader, CancellationToken cancellationToken)
    {
        var output = new StringBuilder();
        var buffer = new char[4096];
        while (await reader.ReadAsync(buffer, cancellationToken) is > 0 and var read)
        {
            if (output.Append(buffer, 0, read).Length > MaximumOutput)
                throw new RegistryCredentialException(
                    $"the credential helper docker-credential-{name} returned more than {MaximumOutput} characters"
                );
        }
        return output.ToString();
    }
}
