namespace ProxySwapper.IntegrationTests.Chart;

/// <summary>Which ServiceAccounts of the chart have the identity of a cloud.</summary>
[TestFixture]
internal sealed class ChartIdentityTests
{
    private const string Amazon = "eks.amazonaws.com/role-arn=arn:aws:iam::123456789012:role/";
    private const string Google = "iam.gke.io/gcp-service-account=";

    [TestCase("amazon", "proxyswapper " + Amazon + "proxyswapper")]
    [TestCase("google", "proxyswapper " + Google + "proxyswapper@my-project.iam.gserviceaccount.com")]
    [TestCase(
        "azure",
        "proxyswapper azure.workload.identity/client-id=11111111-2222-3333-4444-555555555555",
        "proxyswapper azure.workload.identity/tenant-id=66666666-7777-8888-9999-000000000000",
        "proxyswapper example.com/owner=platform"
    )]
    [TestCase("mirror-identity", "proxyswapper-mirror " + Amazon + "mirror")]
    [TestCase("mirror-first-run", "proxyswapper-mirror " + Amazon + "mirror")]
    [TestCase(
        "cache-identity",
        "proxyswapper-cache " + Google + "caches@my-project.iam.gserviceaccount.com",
        "proxyswapper-cache-b " + Google + "b@my-project.iam.gserviceaccount.com"
    )]
    public async Task It_is_that_of_the_component_or_the_one_of_the_release(string set, params string[] expected)
    {
        var accounts = (await HelmChart.ObjectsAsync(HelmChart.ValueSet(set)))
            .Where(item => (string?)item["kind"] == "ServiceAccount" && !ChartObjects.IsHook(item))
            .SelectMany(item =>
                (item["metadata"]!["annotations"]?.AsObject() ?? []).Select(annotation =>
                    $"{item["metadata"]!["name"]} {annotation.Key}={annotation.Value}"
                )
            );
        Assert.That(accounts, Is.EquivalentTo(expected));
    }
}
