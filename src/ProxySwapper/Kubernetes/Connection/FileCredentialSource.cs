using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;

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
        var token = TokenFile is null ? Token : PemSource.OfFile(TokenFile).Read().Trim();
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
        _certificateText = certificate + key;
        return new KubernetesCredential(authorization, Parse(certificate, key));
    }

    /// <summary>A certificate with its key, usable for TLS on every platform.</summary>
    /// <exception cref="KubernetesConnectionException">The text is not a certificate, or the key does not match it.</exception>
    public static X509Certificate2 Parse(string certificate, string key)
    {
        try
        {
            var parsed = X509Certificate2.CreateFromPem(certificate, key);
            if (!OperatingSystem.IsWindows())
                return parsed;
            // TLS on Windows does not accept ephemeral keys.
            using (parsed)
                return X509CertificateLoader.LoadPkcs12(parsed.Export(X509ContentType.Pkcs12), null);
        }
        catch (Exception fault) when (fault is CryptographicException or ArgumentException)
        {
            throw new KubernetesConnectionException($"The client certificate is not valid: {fault.Message}", fault);
        }
    }
}
