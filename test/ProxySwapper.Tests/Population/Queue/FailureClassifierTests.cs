using System.Net;
using ProxySwapper.Population.Queue;
using ProxySwapper.Registry;
using ProxySwapper.Registry.Credentials;
using ProxySwapper.Registry.Transport;

namespace ProxySwapper.Tests.Population.Queue;

[TestFixture]
internal sealed class FailureClassifierTests
{
    [TestCase(400, FailureKind.Permanent)]
    [TestCase(401, FailureKind.Permanent)]
    [TestCase(403, FailureKind.Permanent)]
    [TestCase(404, FailureKind.Permanent)]
    [TestCase(408, FailureKind.Transient)]
    [TestCase(413, FailureKind.Permanent)]
    [TestCase(429, FailureKind.RegistryDown)]
    [TestCase(500, FailureKind.Transient)]
    [TestCase(502, FailureKind.Transient)]
    [TestCase(503, FailureKind.RegistryDown)]
    public void A_status_determines_whether_to_retry(int status, object kind)
    {
        var fault = FailureClassifier.Read(Refusal((HttpStatusCode)status));
        Assert.That((fault.Kind, fault.Host?.Text), Is.EqualTo(((FailureKind)kind, "up.example.com")));
    }

    [TestCase(401, 429, true)]
    [TestCase(404, 503, true)]
    [TestCase(401, 404, false)]
    [TestCase(429, 401, false)]
    public void A_transient_refusal_outweighs_a_permanent_one(int first, int later, bool expected) =>
        Assert.That(FailureClassifier.IsOutweighed(Refusal((HttpStatusCode)first), Refusal((HttpStatusCode)later)), Is.EqualTo(expected));

    [Test]
    public void A_registry_that_cannot_be_reached_fails_as_a_whole()
    {
        var cause = new HttpRequestException(HttpRequestError.ConnectionError, "Connection refused");
        Assert.That(FailureClassifier.Read(Refusal(null, cause)).Kind, Is.EqualTo(FailureKind.RegistryDown));
    }

    [Test]
    public void A_connection_that_breaks_in_the_middle_says_nothing_of_the_registry_as_a_whole()
    {
        var cause = new HttpIOException(HttpRequestError.ResponseEnded, "The response ended prematurely");
        Assert.That(FailureClassifier.Read(Refusal(null, cause)).Kind, Is.EqualTo(FailureKind.Transient));
    }

    [Test]
    public void The_registrys_Retry_After_is_kept() =>
        Assert.That(
            FailureClassifier
                .Read(
                    new RegistryException(HttpMethod.Get, RegistryName.Parse("up.example.com"), "r", HttpStatusCode.TooManyRequests, [])
                    {
                        RetryAfter = TimeSpan.FromMinutes(9),
                    }
                )
                .RetryAfter,
            Is.EqualTo(TimeSpan.FromMinutes(9))
        );

    [TestCase(401, "up.example.com", true)]
    [TestCase(403, "up.example.com", true)]
    [TestCase(404, "up.example.com", true)]
    [TestCase(429, "up.example.com", true)]
    [TestCase(500, "up.example.com", false)]
    [TestCase(401, "down.example.com", false)]
    public void Another_secret_is_tried_if_the_source_denied_access(int status, string registry, bool isDenial) =>
        Assert.That(FailureClassifier.IsRefusal(Refusal((HttpStatusCode)status), RegistryName.Parse(registry)), Is.EqualTo(isDenial));

    [Test]
    public void An_unavailable_credential_is_retried() =>
        Assert.That(
            FailureClassifier.Read(new RegistryCredentialException("the token server did not answer")).Kind,
            Is.EqualTo(FailureKind.Transient)
        );

    private static RegistryException Refusal(HttpStatusCode? status, Exception? cause = null) =>
        new(HttpMethod.Get, RegistryName.Parse("up.example.com"), "r", status, [], innerException: cause);
}
