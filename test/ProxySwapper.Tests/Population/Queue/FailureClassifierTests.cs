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
        var fault = FailureClassifier.Read(Rejection((HttpStatusCode)status));
        Assert.That((fault.Kind, fault.Host?.Text), Is.EqualTo(((FailureKind)kind, "up.example.com")));
    }

    [TestCase(401, 429, 429)]
    [TestCase(404, 503, 503)]
    [TestCase(401, 404, 401)]
    [TestCase(429, 401, 429)]
    public void A_transient_rejection_outweighs_a_permanent_one(int first, int later, int expected)
    {
        var fault = FailureClassifier.Combine([Rejection((HttpStatusCode)first), Rejection((HttpStatusCode)later)], isShared: false);
        Assert.That(fault.Message, Does.Contain($"(HTTP {expected})"));
        Assert.That(FailureClassifier.Read(fault).Kind, Is.EqualTo(FailureClassifier.Read(Rejection((HttpStatusCode)expected)).Kind));
    }

    [TestCase(503, 401, true, FailureKind.Transient)]
    [TestCase(429, 404, true, FailureKind.Transient)]
    [TestCase(429, 404, false, FailureKind.RegistryDown)]
    [TestCase(503, 503, true, FailureKind.RegistryDown)]
    public void A_registry_that_responds_to_another_credential_is_not_down_for_all(int first, int later, bool isShared, object kind) =>
        Assert.That(
            FailureClassifier
                .Read(FailureClassifier.Combine([Rejection((HttpStatusCode)first), Rejection((HttpStatusCode)later)], isShared))
                .Kind,
            Is.EqualTo((FailureKind)kind)
        );

    [Test]
    public void What_is_wrong_with_one_credential_is_reported_beside_what_the_others_met()
    {
        var fault = FailureClassifier.Combine([Rejection(HttpStatusCode.BadRequest), Rejection(HttpStatusCode.NotFound)], isShared: true);
        Assert.That(
            fault.Message,
            Is.EqualTo("GET up.example.com/r: bad request (HTTP 400); with another credential: GET up.example.com/r: not found (HTTP 404)")
        );
        var failure = FailureClassifier.Read(fault);
        Assert.That((failure.Kind, failure.Host?.Text), Is.EqualTo((FailureKind.Permanent, "up.example.com")));
        Assert.That(FailureClassifier.IsExpected(fault), Is.True);
    }

    [Test]
    public void A_registry_that_cannot_be_reached_fails_as_a_whole()
    {
        var cause = new HttpRequestException(HttpRequestError.ConnectionError, "Connection refused");
        Assert.That(FailureClassifier.Read(Rejection(null, cause)).Kind, Is.EqualTo(FailureKind.RegistryDown));
    }

    [Test]
    public void A_connection_that_breaks_in_the_middle_says_nothing_of_the_registry_as_a_whole()
    {
        var cause = new HttpIOException(HttpRequestError.ResponseEnded, "The response ended prematurely");
        Assert.That(FailureClassifier.Read(Rejection(null, cause)).Kind, Is.EqualTo(FailureKind.Transient));
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

    [TestCase(401, "up.example.com", false, true)]
    [TestCase(401, "up.example.com", true, true)]
    [TestCase(403, "up.example.com", true, true)]
    [TestCase(404, "up.example.com", true, true)]
    [TestCase(429, "up.example.com", true, true)]
    [TestCase(200, "up.example.com", false, true)]
    [TestCase(400, "up.example.com", false, true)]
    [TestCase(431, "up.example.com", false, true)]
    [TestCase(500, "up.example.com", false, true)]
    [TestCase(503, "up.example.com", false, true)]
    [TestCase(400, "up.example.com", true, false)]
    [TestCase(500, "up.example.com", true, false)]
    [TestCase(401, "down.example.com", false, false)]
    [TestCase(500, "down.example.com", false, false)]
    public void Another_secret_is_tried_unless_the_failure_cannot_depend_on_it(int status, string registry, bool isOpened, bool expected) =>
        Assert.That(
            FailureClassifier.MayDependOnCredential(Rejection((HttpStatusCode)status), RegistryName.Parse(registry), isOpened),
            Is.EqualTo(expected)
        );

    [TestCase(HttpRequestError.ConnectionError, false)]
    [TestCase(HttpRequestError.NameResolutionError, false)]
    [TestCase(HttpRequestError.ResponseEnded, true)]
    public void A_server_that_was_never_connected_to_has_seen_no_credential(HttpRequestError error, bool expected) =>
        Assert.That(
            FailureClassifier.MayDependOnCredential(
                Rejection(null, new HttpRequestException(error, "x")),
                RegistryName.Parse("up.example.com"),
                isOpened: false
            ),
            Is.EqualTo(expected)
        );

    [Test]
    public void An_unavailable_credential_is_retried() =>
        Assert.That(
            FailureClassifier.Read(new RegistryCredentialException("the token server did not respond")).Kind,
            Is.EqualTo(FailureKind.Transient)
        );

    private static RegistryException Rejection(HttpStatusCode? status, Exception? cause = null) =>
        new(HttpMethod.Get, RegistryName.Parse("up.example.com"), "r", status, [], innerException: cause);
}
