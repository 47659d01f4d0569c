using System.ComponentModel;
using System.Diagnostics;
using System.Text.Json;

namespace ProxySwapper.Registry.Credentials;

/// <summary>
/// Asks a program named <c>docker-credential-NAME</c>, with <c>get</c> as its argument and the server on its standard input
/// (<see href="https://github.com/docker/docker-credential-helpers">docker-credential-helpers</see>).
/// </summary>
internal sealed class CredentialHelper(string name)
{
    private const string DockerHub = "https://index.docker.io/v1/";
    private const int MaximumAnswer = 1024 * 1024;
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(30);

    /// <exception cref="RegistryCredentialException">The helper is missing, failed or answered nonsense.</exception>
    public async Task<RegistryCredential?> GetAsync(string registry, CancellationToken cancellationToken)
    {
        if (name.AsSpan().ContainsAny('/', '\\')) throw new RegistryCredentialException($"'{name}' is no name of a credential helper");
        using var process = new Process
        {
            StartInfo = new ProcessStartInfo($"docker-credential-{name}", ["get"]) { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true },
        };
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        deadline.CancelAfter(Deadline);
        try
        {
            process.Start();
            process.ErrorDataReceived += (_, _) => { }; // read, so that it cannot block; it may hold anything
            process.BeginErrorReadLine();
            await process.StandardInput.WriteAsync((registry == "docker.io" ? DockerHub : registry).AsMemory(), deadline.Token);
            process.StandardInput.Close();
            var answer = await ReadAsync(process.StandardOutput, deadline.Token);
            await process.WaitForExitAsync(deadline.Token);
            return Read(answer, process.ExitCode);
        }
        catch (Exception fault) when (fault is Win32Exception or IOException)
        {
            throw new RegistryCredentialException($"the credential helper docker-credential-{name} cannot be run: {fault.Message}", fault);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            process.Kill(entireProcessTree: true);
            throw new RegistryCredentialException($"the credential helper docker-credential-{name} gave no answer within {Deadline.TotalSeconds} s");
        }
    }

    private RegistryCredential? Read(string answer, int exitCode)
    {
        // By its protocol a helper says so when it just has nothing.
        if (answer.Contains("credentials not found", StringComparison.OrdinalIgnoreCase)) return null;
        if (exitCode != 0) throw new RegistryCredentialException($"the credential helper docker-credential-{name} failed with exit code {exitCode}");
        try
        {
            using var document = JsonDocument.Parse(answer);
            var (username, secret) = (document.RootElement.GetProperty("Username").GetString(), document.RootElement.GetProperty("Secret").GetString());
            if (string.IsNullOrEmpty(secret)) return null;
            return username == "<token>" ? RegistryCredential.Identity(secret) : RegistryCredential.Basic(username ?? "", secret);
        }
        catch (Exception fault) when (fault is JsonException or KeyNotFoundException or InvalidOperationException)
        {
            throw new RegistryCredentialException($"the credential helper docker-credential-{name} answered something else than a credential");
        }
    }

    private static async Task<string> ReadAsync(StreamReader reader, CancellationToken cancellationToken)
    {
        var buffer = new char[MaximumAnswer];
        var length = 0;
        while (length < buffer.Length && await reader.ReadAsync(buffer.AsMemory(length), cancellationToken) is > 0 and var read) length += read;
        return new string(buffer, 0, length);
    }
}
