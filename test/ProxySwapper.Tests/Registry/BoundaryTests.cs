using ProxySwapper.Registry;

namespace ProxySwapper.Tests.Registry;

/// <summary>The registry library does not depend on the web server, on Kubernetes or on the program.</summary>
[TestFixture]
internal sealed class BoundaryTests
{
    [
        TestCase("Microsoft.AspNetCore"),
        TestCase("Kubernetes"),
        TestCase("k8s"),
        TestCase("proxyswapper"),
        TestCase("Spectre"),
        TestCase("YamlDotNet"),
        TestCase("Serilog")
    ]
    public void The_registry_library_references_nothing_of(string name) =>
        Assert.That(
            typeof(ImageReference).Assembly.GetReferencedAssemblies().Select(assembly => assembly.Name),
            Has.None.StartsWith(name).IgnoreCase
        );
}
