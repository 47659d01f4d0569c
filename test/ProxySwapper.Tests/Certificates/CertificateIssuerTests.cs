using System.Security.Cryptography.X509Certificates;
using Microsoft.Extensions.Time.Testing;
using ProxySwapper.Certificates;

namespace ProxySwapper.Tests.Certificates;

[TestFixture]
internal sealed class CertificateIssuerTests
{
    private const string Name = "proxyswapper.team.svc";

    private readonly FakeTimeProvider _time = new(new DateTimeOffset(2027, 1, 1, 0, 0, 0, TimeSpan.Zero));

    [Test]
    public void A_certificate_is_valid_for_its_names_and_signed_by_its_authority()
    {
        var set = Issuer().Create();
        Assert.That(IsTrusted(set, set.Authorities), Is.True);
        using var certificate = set.ReadCertificate();
        Assert.Multiple(() =>
        {
            Assert.That(certificate.MatchesHostname(Name), Is.True);
            Assert.That(certificate.MatchesHostname("other.team.svc"), Is.False);
        });
    }

    [Test]
    public void Nothing_is_renewed_while_it_is_valid() => Assert.That(Issuer().Renew(Issuer().Create(), isPublished: true), Is.Null);

    [Test]
    public void A_certificate_is_renewed_thirty_days_before_its_end_by_the_same_authority()
    {
        var first = Issuer().Create();
        _time.Advance(TimeSpan.FromDays(61));
        var second = Issuer().Renew(first, isPublished: true)!;
        Assert.Multiple(() =>
        {
            Assert.That(second.Certificate, Is.Not.EqualTo(first.Certificate));
            Assert.That(IsTrusted(second, first.Authorities), Is.True);
            Assert.That(Issuer().Renew(second, isPublished: true), Is.Null);
        });
    }

    [Test]
    public void Other_names_need_another_certificate() =>
        Assert.That(new CertificateIssuer([Name, "more.team.svc"], _time).Renew(Issuer().Create(), isPublished: true), Is.Not.Null);

    [Test]
    public void A_new_authority_is_published_before_it_signs()
    {
        var first = Issuer().Create();
        _time.Advance(TimeSpan.FromDays(3650 - 400));
        var renewed = Issuer().Renew(first, isPublished: true)!;
        _time.Advance(TimeSpan.FromDays(40));

        var joined = Issuer().Renew(renewed, isPublished: true)!;
        Assert.Multiple(() =>
        {
            Assert.That(joined.Certificate, Is.EqualTo(renewed.Certificate), "the certificate stays while the new authority is published");
            Assert.That(joined.ReadAuthorities(), Has.Count.EqualTo(2));
            Assert.That(Issuer().Renew(joined, isPublished: false), Is.Null);
        });

        var signed = Issuer().Renew(joined, isPublished: true)!;
        Assert.Multiple(() =>
        {
            Assert.That(signed.Certificate, Is.Not.EqualTo(joined.Certificate));
            Assert.That(IsTrusted(signed, joined.Authorities), Is.True, "by who has what was published");
            Assert.That(IsTrusted(joined, signed.Authorities), Is.True, "replicas that still show the old certificate are trusted");
            Assert.That(IsTrusted(signed, renewed.Authorities), Is.False, "by who has only the old authority");
            Assert.That(Issuer().Renew(signed, isPublished: true), Is.Null);
        });
    }

    [Test]
    public void An_authority_that_expired_while_no_replica_ran_is_replaced_at_once()
    {
        var first = Issuer().Create();
        _time.Advance(TimeSpan.FromDays(4000));
        var second = Issuer().Renew(first, isPublished: false)!;
        Assert.Multiple(() =>
        {
            Assert.That(IsTrusted(second, second.Authorities), Is.True);
            Assert.That(second.ReadAuthorities(), Has.Count.EqualTo(1));
        });
    }

    private CertificateIssuer Issuer() => new([Name], _time);

    private bool IsTrusted(CertificateSet set, string authorities)
    {
        using var certificate = set.ReadCertificate();
        using var chain = new X509Chain();
        chain.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        chain.ChainPolicy.CustomTrustStore.ImportFromPem(authorities);
        chain.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
        chain.ChainPolicy.VerificationTime = _time.GetUtcNow().UtcDateTime;
        return chain.Build(certificate);
    }
}
