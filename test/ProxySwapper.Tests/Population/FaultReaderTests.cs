using System.Net;
using ProxySwapper.Population;
using ProxySwapper.Registry.Credentials;
using ProxySwapper.Registry.Protocol;

namespace ProxySwapper.Tests.Population;

[TestFixture]
internal sealed class FaultReaderTests
{
    [TestCase(400, FaultKind.Final)]
    [TestCase(401, FaultKind.Final)]
    [TestCase(403, FaultKind.Final)]
    [TestCase(404, FaultKind.Final)]
    [TestCase(408, FaultKind.Passing)]
    [TestCase(413, FaultKind.Final)]
    [TestCase(429, FaultKind.HostFailing)]
    [TestCase(500, FaultKind.Passing)]
    [TestCase(502, FaultKind.Passing)]
    [TestCase(503, FaultKind.HostFailing)]
    public void A_status_says_whether_another_try_helps(int status, object kind)
    {
        var fault = FaultReader.Read(Refusal((HttpStatusCode)status));
        Assert.That((fault.Kind, fault.Host), Is.EqualTo(((FaultKind)kind, "up.example.com")));
    }

    [Test]
    public void A_registry_that_cannot_be_reached_fails_as_a_whole()
    {
        var cause = new HttpRequestException(HttpRequestError.ConnectionError, "Connection refused");
        Assert.That(FaultReader.Read(Refusal(null, cause)).Kind, Is.EqualTo(FaultKind.HostFailing));
    }

    [Test]
    public void A_connection_that_breaks_in_the_middle_says_nothing_of_the_registry_as_a_whole()
    {
        var cause = new HttpIOException(HttpRequestError.ResponseEnded, "The response ended prematurely");
        Assert.That(FaultReader.Read(Refusal(null, cause)).Kind, Is.EqualTo(FaultKind.Passing));
    }

    [Test]
    public void When_the_registry_asks_to_come_back_is_kept() =>
        Assert.That(FaultReader.Read(new RegistryException(HttpMethod.Get, "h", "r", HttpStatusCode.TooManyRequests, []) { RetryAfter = TimeSpan.FromMinutes(9) }).RetryAfter, Is.EqualTo(TimeSpan.FromMinutes(9)));

    [TestCase(401, "up.example.com", true)]
    [TestCase(403, "up.example.com", true)]
    [TestCase(404, "up.example.com", true)]
    [TestCase(500, "up.example.com", false)]
    [TestCase(401, "down.example.com", false)]
    public void Another_secret_is_worth_a_try_when_the_source_denied(int status, string registry, bool isDenial) =>
        Assert.That(FaultReader.IsDenial(Refusal((HttpStatusCode)status), registry), Is.EqualTo(isDenial));

    [Test]
    public void A_credential_that_cannot_be_had_is_tried_again() =>
        Assert.That(FaultReader.Read(new RegistryCredentialException("the token server did not answer")).Kind, Is.EqualTo(FaultKind.Passing));

    private static RegistryException Refusal(HttpStatusCode? status, Exception? cause = null) => new(HttpMethod.Get, "up.example.com", "r", status, [], innerException: cause);
}
