using ProxySwapper.Population.Downstream;
using ProxySwapper.Registry;

namespace ProxySwapper.Tests.Population.Downstream;

/// <summary>When a target begins and ceases to count as failing.</summary>
[TestFixture]
internal sealed class TargetAccessTests
{
    [Test]
    public void A_denial_does_not_end_because_other_repositories_are_checked_that_do_not_respond()
    {
        var target = new TargetAccess(RegistryName.Parse("registry.example.com"), "");
        target.AddRepository("denied");
        for (var i = 0; i < 3; i++)
            Check(target, RepositoryResponse.Denied, "denied");
        foreach (var repository in new[] { "a", "b", "c" })
            target.AddRepository(repository);
        Assert.That(target.Repositories, Does.Not.Contain("denied"));
        Check(target, RepositoryResponse.Inconclusive, "a", "b", "c");
        Assert.That(target.Fault, Is.EqualTo("denied"));
        Check(target, RepositoryResponse.Absent, "a", "b", "c");
        Assert.That(target.Fault, Is.Null);
    }

    private static void Check(TargetAccess target, RepositoryResponse response, params string[] repositories) =>
        target.Checked(
            [
                .. repositories.Select(repository => new RepositoryAccess(
                    repository,
                    response,
                    response == RepositoryResponse.Denied ? "denied" : null
                )),
            ],
            DateTimeOffset.MaxValue
        );
}
