using System.ComponentModel;
using System.Diagnostics;
using System.Net.Http.Headers;
using System.Text.Json;
using System.Text.Json.Nodes;
using ProxySwapper.Registry.Timing;

namespace ProxySwapper.Kubernetes.Connection;

/// <summary>
/// A credential printed by a program, as managed clusters use it
/// (<see href="https://kubernetes.io/docs/reference/access-authn-authz/authentication/#client-go-credential-plugins">credential
/// plugins</see>).
/// The program runs again when the credential expires or is rejected.
/// </summary>
internal sealed class ExecCredentialSource(ExecPlugin plugin, TimeProvider time) : IKubernetesCredentialSource, IDisposable
{
    private const int MaximumOutput = 1024 * 1024;
    private const int MaximumErrorLength = 1024;
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(60);

    private readonly SemaphoreSlim _running = new(1, 1);
    private KubernetesCredential? _current;
    private DateTimeOffset? _expires;

    public async ValueTask<KubernetesCredential> GetAsync(bool rejected, CancellationToken cancellationToken)
    {
        await _running.WaitAsync(cancellationToken);
        try
        {
            if (_current is not null && !rejected && (_expires is null || time.GetUtcNow() < _expires))
                return _current;
            var output = await RunAsync(cancellationToken);
            (_current, _expires) = Read(output);
            return _current;
        }
        finally
        {
            _running.Release();
        }
    }

    public void Dispose() => _running.Dispose();

    private async Task<string> RunAsync(CancellationToken cancellationToken)
    {
        using var timeout = new OperationTimeout(Timeout, time, cancellationToken);
        using var process = Start();
        try
        {
            process.StandardInput.Close();
            var output = ReadAsync(process.StandardOutput, MaximumOutput, timeout.Token);
            var error = ReadAsync(process.StandardError, MaximumOutput, timeout.Token);
            await Task.WhenAll(output, error, process.WaitForExitAsync(timeout.Token));
            if (process.ExitCode == 0)
                return await output;
            var errorOutput = (await error).Trim();
            var reason = errorOutput.Length > 0 ? errorOutput[..Math.Min(errorOutput.Length, MaximumErrorLength)] : "it printed no error";
            throw Fault($"exited with code {process.ExitCode}: {reason}");
        }
        catch (OperationCanceledException) when (timeout.HasPassed)
        {
            throw Fault($"timed out after {Timeout.TotalSeconds} s");
        }
        finally
        {
            if (!process.HasExited)
                process.Kill(entireProcessTree: true);
        }
    }

    private Process Start()
    {
        var start = new ProcessStartInfo(plugin.Command, plugin.Arguments)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach (var (name, value) in plugin.Environment)
            start.Environment[name] = value;
        start.Environment["KUBERNETES_EXEC_INFO"] = new JsonObject
        {
            ["apiVersion"] = plugin.ApiVersion,
            ["kind"] = "ExecCredential",
            ["spec"] = plugin.Cluster is { } cluster
                ? new JsonObject { ["interactive"] = false, ["cluster"] = cluster.DeepClone() }
                : new JsonObject { ["interactive"] = false },
        }.ToJsonString();
        try
        {
            return Process.Start(start)!;
        }
        catch (Win32Exception fault)
        {
            throw Fault($"cannot be started: {fault.Message}{(plugin.InstallHint is { } hint ? $" ({hint})" : "")}", fault);
        }
    }

    private static async Task<string> ReadAsync(StreamReader reader, int maximum, CancellationToken cancellationToken)
    {
        var buffer = new char[8192];
        var text = new System.Text.StringBuilder();
        while (await reader.ReadAsync(buffer, cancellationToken) is > 0 and var read)
            if (text.Length < maximum)
                text.Append(buffer, 0, read);
        return text.ToString();
    }

    private (KubernetesCredential Credential, DateTimeOffset? Expires) Read(string output)
    {
        try
        {
            using var document = JsonDocument.Parse(output);
            var version = document.RootElement.GetProperty("apiVersion").GetString();
            if (version != plugin.ApiVersion)
                throw Fault($"returned apiVersion {version}; the kubeconfig has {plugin.ApiVersion}");
            var status = document.RootElement.GetProperty("status");
            var token = Text(status, "token");
            var certificate = Text(status, "clientCertificateData");
            if (token is null && certificate is null)
                throw Fault("returned neither a token nor a certificate");
            DateTimeOffset? expires =
                status.TryGetProperty("expirationTimestamp", out var until) && until.ValueKind == JsonValueKind.String
                    ? until.GetDateTimeOffset()
                    : null;
            return (
                new KubernetesCredential(
                    token is null ? null : new AuthenticationHeaderValue("Bearer", token),
                    certificate is null ? null : FileCredentialSource.Parse(certificate, Text(status, "clientKeyData") ?? certificate)
                ),
                expires
            );
        }
        catch (Exception fault) when (fault is JsonException or KeyNotFoundException or InvalidOperationException or FormatException)
        {
            // The output may contain a token, so it is not shown.
            throw Fault("returned output that is not an ExecCredential", fault);
        }
    }

    private static string? Text(JsonElement status, string name) =>
        status.TryGetProperty(name, out var value) && value.GetString() is { Length: > 0 } text ? text : null;

    private KubernetesConnectionException Fault(string message, Exception? cause = null) =>
        new($"The credential plugin {plugin.Command} {message}.", cause);
}

/// <summary>The section <c>exec</c> of a kubeconfig's user.</summary>
/// <param name="ApiVersion"><c>client.authentication.k8s.io/v1</c> or <c>v1beta1</c>.</param>
/// <param name="Command">The program, with its path if the file contains one.</param>
/// <param name="Arguments">Its arguments.</param>
/// <param name="Environment">Environment variables added to ours.</param>
internal sealed record ExecPlugin(
    string ApiVersion,
    string Command,
    IReadOnlyList<string> Arguments,
    IReadOnlyList<KeyValuePair<string, string>> Environment
)
{
    /// <summary>The cluster information for the plugin, or null if it does not want any.</summary>
    public JsonObject? Cluster { get; init; }

    /// <summary>The kubeconfig's hint on installing the program, or null.</summary>
    public string? InstallHint { get; init; }
}
