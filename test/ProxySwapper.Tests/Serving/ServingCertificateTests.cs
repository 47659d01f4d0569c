using System.Security.Cryptography;
using ProxySwapper.Serving;
using ProxySwapper.Testing.Processes;

namespace ProxySwapper.Tests.Serving;

[TestFixture]
internal sealed class ServingCertificateTests
{
    private TestCertificates _certificates = null!;
    private string _folder = "";

    private string CertificateFile => Path.Combine(_folder, "tls.crt");

    private string KeyFile => Path.Combine(_folder, "tls.key");

    [SetUp]
    public void MakeFolder() => (_folder, _certificates) = (Directory.CreateTempSubdirectory().FullName, new TestCertificates());

    [TearDown]
    public void RemoveFolder()
    {
        _certificates.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    [TestCase("rsa-pkcs1"), TestCase("rsa-pkcs8"), TestCase("ecdsa-sec1"), TestCase("ecdsa-pkcs8")]
    public void Keys_are_read_in_every_form_that_tools_write(string form)
    {
        using var rsa = RSA.Create(2048);
        var (certificate, key) = form.StartsWith("rsa", StringComparison.Ordinal) ? _certificates.Issue(rsa: rsa) : _certificates.Issue();
        if (form == "rsa-pkcs1")
            key = rsa.ExportRSAPrivateKeyPem();
        if (form == "ecdsa-sec1")
        {
            using var ecdsa = ECDsa.Create();
            ecdsa.ImportFromPem(key);
            key = ecdsa.ExportECPrivateKeyPem();
        }
        Write(certificate, key);
        Assert.That(Load().Context.TargetCertificate.HasPrivateKey, Is.True);
    }

    [Test]
    public void Intermediate_certificates_are_sent()
    {
        using var intermediate = _certificates.Intermediate();
        var (certificate, key) = intermediate.Issue();
        Write(certificate + "\n" + intermediate.AuthorityPem, key);
        Assert.That(Load().Context.IntermediateCertificates.Select(issuer => issuer.Subject), Is.EqualTo(new[] { "CN=test intermediate" }));
    }

    [Test]
    public void Unchanged_files_have_no_effect()
    {
        WriteNew();
        var certificate = Load();
        Assert.That(certificate.Reload(TimeProvider.System.GetUtcNow()), Is.False);
    }

    [Test]
    public void A_renewed_pair_is_loaded_and_an_incomplete_one_is_not()
    {
        WriteNew();
        var certificate = Load();
        var before = certificate.Context;
        var (renewed, key) = _certificates.Issue(days: 500);
        File.WriteAllText(CertificateFile, renewed);
        Assert.That(() => certificate.Reload(TimeProvider.System.GetUtcNow()), Throws.InstanceOf<CertificateException>());
        Assert.That(certificate.Context, Is.SameAs(before));
        File.WriteAllText(KeyFile, key);
        Assert.That(certificate.Reload(TimeProvider.System.GetUtcNow()), Is.True);
        Assert.That(certificate.NotAfter - TimeProvider.System.GetUtcNow(), Is.GreaterThan(TimeSpan.FromDays(490)));
    }

    // Minutes are the clocks' difference.
    [TestCase(10 * 24 * 60, 365, false, "is not valid before")]
    [TestCase(10, 365, false, "is not valid before")]
    [TestCase(3, 365, true, null)]
    [TestCase(-20 * 24 * 60, 10, false, "expired at")]
    public void A_certificate_that_is_not_valid_now_replaces_no_valid_one(int minutes, int days, bool isTaken, string? problem)
    {
        var now = TimeProvider.System.GetUtcNow();
        WriteNew();
        var certificate = Load();
        var before = certificate.Context;
        var (other, key) = _certificates.Issue(days: days, start: now.AddMinutes(minutes));
        Write(other, key);
        if (problem is null)
            Assert.That(certificate.Reload(now), Is.True);
        else
            Assert.That(
                () => certificate.Reload(now),
                Throws.InstanceOf<CertificateException>().With.Message.StartsWith($"{CertificateFile} {problem}")
            );
        Assert.That(ReferenceEquals(certificate.Context, before), Is.EqualTo(!isTaken));
        Assert.That(certificate.ProblemAt(now), Is.Null);
        if (minutes < 0)
            return;
        Assert.That(certificate.Reload(now.AddMinutes(minutes)), Is.EqualTo(!isTaken), "once it is valid, unless it is used already");
    }

    [Test]
    public void A_certificate_that_is_not_yet_valid_replaces_an_expired_one_and_is_reported()
    {
        var now = TimeProvider.System.GetUtcNow();
        var (expired, itsKey) = _certificates.Issue(days: 10, start: now.AddDays(-20));
        Write(expired, itsKey);
        var certificate = Load();
        Assert.That(certificate.ProblemAt(now), Does.StartWith("expired at"));
        var (other, key) = _certificates.Issue(start: now.AddDays(10));
        Write(other, key);
        Assert.That(certificate.Reload(now), Is.True);
        Assert.That(certificate.ProblemAt(now), Does.StartWith("is not valid before"));
        Assert.That(certificate.ProblemAt(now.AddDays(11)), Is.Null);
    }

    [Test]
    public void A_deleted_file_keeps_the_current_certificate()
    {
        WriteNew();
        var certificate = Load();
        File.Delete(KeyFile);
        Assert.That(() => certificate.Reload(TimeProvider.System.GetUtcNow()), Throws.InstanceOf<CertificateException>());
        Assert.That(certificate.Context.TargetCertificate.HasPrivateKey, Is.True);
    }

    [
        TestCase("", ""),
        TestCase("nothing", "nothing"),
        TestCase(
            "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
            "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"
        )
    ]
    public void An_invalid_certificate_is_reported_with_its_file(string certificate, string key)
    {
        Write(certificate, key);
        Assert.That(Load, Throws.InstanceOf<CertificateException>().With.Message.Contains(CertificateFile));
    }

    private void WriteNew()
    {
        var (certificate, key) = _certificates.Issue();
        Write(certificate, key);
    }

    private void Write(string certificate, string key)
    {
        File.WriteAllText(CertificateFile, certificate);
        File.WriteAllText(KeyFile, key);
    }

    private ServingCertificate Load() => ServingCertificate.Load(CertificateFile, KeyFile);
}
