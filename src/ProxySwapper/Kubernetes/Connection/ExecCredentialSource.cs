using System.ComponentModel;
using System.Diagnostics;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Nodes;
using ProxySwapper.Patterns;
using ProxySwapper.Registry.Credentials;
using ProxySwapper.Registry.Transport;

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

    private readonly CredentialProgram _program = new(Timeout, MaximumOutput, time);
    private readonly SemaphoreSlim _running = new(1, 1);
    private KubernetesCredential? _current;
    private DateTimeOffset? _expires;
    private KubernetesConnectionException? _fault;
    private int _runs;

    public async ValueTask<KubernetesCredential> GetAsync(bool rejected, CancellationToken cancellationToken)
    {
        var runs = Volatile.Read(ref _runs);
        await _running.WaitAsync(cancellationToken);
        try
        {
            // A run that ended meanwhile is everybody's who waited for it, also if it failed.
            if (runs != _runs && _fault is { } fault)
                throw new KubernetesConnectionException(fault.Message, fault);
            var isKept = _current is not null && (!rejected || runs != _runs);
            if (!isKept || time.GetUtcNow() >= _expires)
                await RenewAsync(cancellationToken);
            return _current!;
        }
        finally
        {
            _running.Release();
        }
    }

    public void Dispose() => _running.Dispose();

    private async Task RenewAsync(CancellationToken cancellationToken)
    {
        try
        {
            (_current, _expires) = Read(await RunAsync(cancellationToken));
            (_fault, _runs) = (null, _runs + 1);
        }
        catch (KubernetesConnectionException fault)
        {
            (_fault, _runs) = (fault, _runs + 1);
            throw;
        }
    }

    private async Task<string> RunAsync(CancellationToken cancellationToken)
    {
        try
        {
            var result = await _program.RunAsync(StartInfo(), "", cancellationToken);
            if (result.ExitCode == 0)
                return result.Output;
            var error = Truncation.Shorten(result.Error.Trim(), MaximumErrorLength);
            throw Fault($"exited with code {result.ExitCode}: {(error.Length > 0 ? error : "it printed no error")}");
        }
        catch (CredentialProgramException fault)
        {
            var hint = fault.InnerException is Win32Exception && plugin.InstallHint is { } text ? $" ({text})" : "";
            throw Fault($"{fault.Message}{hint}", fault);
        }
    }

    private ProcessStartInfo StartInfo()
    {
        var start = new ProcessStartInfo(plugin.Command, plugin.Arguments);
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
        return start;
    }

    private (KubernetesCredential Credential, DateTimeOffset? Expires) Read(string output)
    {
        try
        {
            using var document = JsonDocument.Parse(output);
            var version = document.RootElement.GetProperty("apiVersion").GetString();
            if (version != plugin.ApiVersion)
                throw Fault(
                    $"returned apiVersion {Truncation.Shorten(version ?? "null", MaximumErrorLength)}; "
                        + $"the kubeconfig has {plugin.ApiVersion}"
                );
            var status = document.RootElement.GetProperty("status");
            var token = Text(status, "token");
            var certificate = Text(status, "clientCertificateData");
            if (token is null && certificate is null)
                throw Fault("returned neither a token nor a certificate");
            if (token is not null && !HeaderText.IsValid(token))
                throw Fault($"returned a token that is not valid: it must be {HeaderText.Rule}");
            DateTimeOffset? expires =
                status.TryGetProperty("expirationTimestamp", out var until) && until.ValueKind == JsonValueKind.String
                    ? until.GetDateTimeOffset()
                    : null;
            return (
                new KubernetesCredential(
                    token is null ? null : new AuthenticationHeaderValue("Bearer", token),
                    certificate is null ? null : ClientCertificateParser.Parse(certificate, Text(status, "clientKeyData") ?? certificate)
                ),
                expires
            );
        }
        catch (CryptographicException fault)
        {
            throw Fault($"returned a client certificate that is not valid: {ClientCertificateParser.Rule}", fault);
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
        new($"The credential plugin {PlainText.Of(plugin.Command)} {PlainText.Of(message).TrimEnd('.')}.", cause);
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
