using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using ProxySwapper.Registry;

namespace ProxySwapper.Serving;

/// <summary>
/// The webhook's certificate: from two PEM files that cert-manager or a user writes and renews, or issued by the program itself. If a new
/// pair is not valid, for example because only one file has been updated so far, the current one stays.
/// </summary>
internal sealed class ServingCertificate
{
    /// <summary>How far this machine's clock may be behind that of the issuer: API servers have clocks of their own.</summary>
    private static readonly TimeSpan ClockSkew = TimeSpan.FromMinutes(5);

    private readonly string? _certificateFile;
    private readonly string? _keyFile;
    private string _pem;
    private bool _isTemporary;
    private volatile Loaded _current;
    private volatile int _renewals;

    private ServingCertificate(string? certificateFile, string? keyFile, string pem, Loaded current) =>
        (_certificateFile, _keyFile, _pem, _current) = (certificateFile, keyFile, pem, current);

    /// <summary>The certificate for new connections.</summary>
    public SslStreamCertificateContext Context => _current.Context;

    public DateTimeOffset NotAfter => _current.NotAfter;

    /// <summary>Why clients reject the certificate at a time; null if they do not.</summary>
    public string? ProblemAt(DateTimeOffset now) => _current.ProblemAt(now);

    /// <summary>How often another certificate has taken its place.</summary>
    public int Renewals => _renewals;

    /// <summary>Loads the files.</summary>
    /// <exception cref="CertificateException">They are missing, or not a certificate with its key.</exception>
    public static ServingCertificate Load(string certificateFile, string keyFile)
    {
        var (certificate, key) = Read(certificateFile, keyFile);
        return new ServingCertificate(certificateFile, keyFile, certificate + key, Parse(certificate, key, certificateFile));
    }

    /// <summary>A placeholder without files, until <see cref="Replace"/> provides the first certificate.</summary>
    /// <exception cref="CertificateException">It is not a certificate with its key.</exception>
    public static ServingCertificate FromPem(string certificate, string key) =>
        new(null, null, certificate + key, Parse(certificate, key, "the issued certificate")) { _isTemporary = true };

    /// <summary>Replaces the certificate; true if it differs from the current one.</summary>
    /// <exception cref="CertificateException">It is not a certificate with its key; the current one stays.</exception>
    public bool Replace(string certificate, string key)
    {
        if (certificate + key == _pem)
            return false;
        Renew(Parse(certificate, key, "the issued certificate"), certificate + key);
        return true;
    }

    /// <summary>Reads the files again, if any; true if the certificate changed.</summary>
    /// <exception cref="CertificateException">The files changed and cannot be used; the current certificate stays.</exception>
    /// <param name="now">The current time: a certificate that is expired or not yet valid does not replace a valid one.</param>
    public bool Reload(DateTimeOffset now)
    {
        if (_certificateFile is null || _keyFile is null)
            return false;
        var (certificate, key) = Read(_certificateFile, _keyFile);
        if (certificate + key == _pem)
            return false;
        var read = Parse(certificate, key, _certificateFile);
        if (read.ProblemAt(now) is { } problem && _current.ProblemAt(now) is null)
            throw new CertificateException($"{_certificateFile} {problem}");
        Renew(read, certificate + key);
        return true;
    }

    private void Renew(Loaded loaded, string pem)
    {
        (_current, _pem) = (loaded, pem);
        if (!_isTemporary)
            _renewals++;
        _isTemporary = false;
    }

    private static (string Certificate, string Key) Read(string certificateFile, string keyFile)
    {
        try
        {
            return (TextFile.Read(certificateFile), TextFile.Read(keyFile));
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new CertificateException($"cannot read the serving certificate: {exception.Message}", exception);
        }
    }

    private static Loaded Parse(string certificate, string key, string file)
    {
        try
        {
            var leaf = X509Certificate2.CreateFromPem(certificate, key);
            var chain = new X509Certificate2Collection();
            chain.ImportFromPem(certificate);
            chain.RemoveAt(0);
            // Offline: the chain is taken from the file; nothing is downloaded.
            return new Loaded(SslStreamCertificateContext.Create(leaf, chain, offline: true), leaf.NotBefore, leaf.NotAfter);
        }
        catch (Exception exception) when (exception is CryptographicException or ArgumentException)
        {
            throw new CertificateException($"{file} is not a certificate that matches the key file: {exception.Message}", exception);
        }
    }

    private sealed record Loaded(SslStreamCertificateContext Context, DateTimeOffset NotBefore, DateTimeOffset NotAfter)
    {
        public string? ProblemAt(DateTimeOffset now) =>
            NotAfter <= now ? $"expired at {NotAfter.UtcDateTime:u}"
            : NotBefore > now + ClockSkew ? $"is not valid before {NotBefore.UtcDateTime:u}"
            : null;
    }
}

/// <summary>The serving certificate is not usable; the message says why.</summary>
internal sealed class CertificateException(string message, Exception? innerException = null) : Exception(message, innerException);
