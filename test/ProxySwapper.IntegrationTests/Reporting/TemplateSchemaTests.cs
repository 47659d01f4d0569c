using ProxySwapper.Kubernetes;
using ProxySwapper.Reporting;

namespace ProxySwapper.IntegrationTests.Reporting;

/// <summary>What a real API server's schemas show about kinds that a caller may not list.</summary>
[TestFixture, NeedsServer, NeedsModernServer]
internal sealed class TemplateSchemaTests
{
    [TestCase("apps/v1", "deployments", "Deployment", ExpectedResult = true)]
    [TestCase("coordination.k8s.io/v1", "leases", "Lease", ExpectedResult = false)]
    [TestCase("rbac.authorization.k8s.io/v1", "clusterroles", "ClusterRole", ExpectedResult = false)]
    [TestCase("apps/v1", "unknowns", "Unknown", ExpectedResult = true, Description = "a kind without a schema")]
    [TestCase("example.com/v1", "unknowns", "Unknown", ExpectedResult = true, Description = "a group without schemas")]
    public async Task<bool> The_schema_of_a_kind_shows_whether_it_can_have_a_template(string groupVersion, string plural, string kind)
    {
        var server = await ModernControlPlane.GetAsync();
        var found = new DiscoveredTemplate(new ResourceType(groupVersion, plural), kind, ["spec", "template"], IsCustom: true);
        return await new TemplateSchema(server.Client).AllowsTemplateAsync(found, default);
    }
}
