using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text;
using ProxySwapper.Registry.Transport;

namespace ProxySwapper.Kubernetes.Connection;

/// <summary>
/// A credential from a kubeconfig or a mounted service account. Files are read again after a minute and when the server rejects the
/// credential, since kubelet renews an account's token before it expires.
/// </summary>
internal sealed class FileCredentialSource(TimeProvider time) : IKubernetesCredentialSource, IDisposable
{
    private static readonly TimeSpan ReadAgainAfter = TimeSpan.FromMinutes(1);

    private readonly SemaphoreSlim _reading = new(1, 1);
    private KubernetesCredential? _current;
    private string _certificateText = "";
    private long _readAt;

    public string? Token { get; init; }
    public string? TokenFile { get; init; }
    public string? Username { get; init; }
    public string? Password { get; init; }
    public PemSource? ClientCertificate { get; init; }
    public PemSource? ClientKey { get; init; }

    public async ValueTask<KubernetesCredential> GetAsync(bool rejected, CancellationToken cancellationToken)
    {
        await _reading.WaitAsync(cancellationToken);
        try
        {
            if (_current is not null && !rejected && time.GetElapsedTime(_readAt) < ReadAgainAfter)
                return _current;
            _current = Read();
            _readAt = time.GetTimestamp();
            return _current;
        }
        catch (KubernetesConnectionException) when (_current is not null && !rejected)
        {
            // The mount is being replaced: what was read before remains valid for a while.
            return _current;
        }
        finally
        {
            _reading.Release();
        }
    }

    public void Dispose() => _reading.Dispose();

    private KubernetesCredential Read()
    {
        var token = TokenFile is null ? Token : ReadToken(TokenFile);
        var authorization =
            token is { Length: > 0 } ? new AuthenticationHeaderValue("Bearer", token)
            : Username is not null
                ? new AuthenticationHeaderValue("Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes($"{Username}:{Password}")))
            : null;
        if (ClientCertificate is null)
            return new KubernetesCredential(authorization, null);
        var certificate = ClientCertificate.Read();
        var key = (ClientKey ?? ClientCertificate).Read();
        // An unchanged certificate keeps its object, so that its connections are reused.
        if (_current?.ClientCertificate is { } same && certificate + key == _certificateText)
            return new KubernetesCredential(authorization, same);
        try
        {
            var parsed = ClientCertificateParser.Parse(certificate, key);
            _certificateText = certificate + key;
            return new KubernetesCredential(authorization, parsed);
        }
        catch (CryptographicException fault)
        {
            throw new KubernetesConnectionException(
                $"{ClientCertificate}: the client certificate is not valid: {ClientCertificateParser.Rule}",
                fault
            );
        }
    }

    private static string ReadToken(string file)
    {
        var token = PemSource.OfFile(file).Read().Trim();
        if (token.Length == 0)
            throw new KubernetesConnectionException($"{file}: the token is empty");
        return HeaderText.IsValid(token)
            ? token
            : throw new KubernetesConnectionException($"{file}: the token is not valid: it must be {HeaderText.Rule}");
    }
}
