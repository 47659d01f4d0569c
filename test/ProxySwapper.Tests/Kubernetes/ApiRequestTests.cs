using ProxySwapper.Kubernetes;

namespace ProxySwapper.Tests.Kubernetes;

/// <summary>The description of a request in error messages.</summary>
[TestFixture]
internal sealed class ApiRequestTests
{
    [TestCase("GET", "/version", "GET /version")]
    [TestCase("GET", "/api/v1/pods?limit=500", "list pods")]
    [TestCase("GET", "/api/v1/pods?watch=true&resourceVersion=7", "watch pods")]
    [TestCase("GET", "/api/v1/namespaces/team/pods", "list pods in namespace team")]
    [TestCase("GET", "/api/v1/namespaces/team/secrets/key", "get secrets team/key")]
    [TestCase("GET", "/api/v1/namespaces/team", "get namespaces team")]
    [TestCase("GET", "/api/v1/namespaces", "list namespaces")]
    [TestCase("PATCH", "/api/v1/namespaces/team/pods/web?fieldManager=x", "patch pods team/web")]
    [TestCase("PATCH", "/api/v1/namespaces/team/pods/web/status", "patch pods/status team/web")]
    [TestCase("PUT", "/apis/coordination.k8s.io/v1/namespaces/team/leases/a%2Fb", "update leases.coordination.k8s.io team/a/b")]
    [TestCase("POST", "/apis/coordination.k8s.io/v1/namespaces/team/leases", "create leases.coordination.k8s.io in namespace team")]
    [TestCase(
        "DELETE",
        "/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations/w",
        "delete mutatingwebhookconfigurations.admissionregistration.k8s.io w"
    )]
    [TestCase("GET", "/apis/apps/v1", "GET /apis/apps/v1")]
    public void A_request_is_described_by_verb_resource_namespace_and_name(string method, string path, string text) =>
        Assert.That(new ApiRequest(new HttpMethod(method), path).ToString(), Is.EqualTo(text));
}
