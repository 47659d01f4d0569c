namespace ProxySwapper.IntegrationTests;

/// <summary>
/// A fixture that starts a server that is not ours: kube-apiserver, docker-registry. <c>test/run --without-cluster</c> skips these;
/// such servers only start for fixtures with this attribute.
/// </summary>
[AttributeUsage(AttributeTargets.Class)]
internal sealed class NeedsServerAttribute() : CategoryAttribute(Name)
{
    private new const string Name = "NeedsServer";

    /// <exception cref="InvalidOperationException">The fixture that runs lacks the attribute.</exception>
    public static void Require(string server)
    {
        var test = TestContext.CurrentContext.Test;
        if (!test.AllCategories().Contains(Name))
            throw new InvalidOperationException($"{test.ClassName} starts {server}: add [NeedsServer] to the fixture.");
    }
}
