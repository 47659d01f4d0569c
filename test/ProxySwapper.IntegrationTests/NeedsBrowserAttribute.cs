namespace ProxySwapper.IntegrationTests;

/// <summary>
/// A fixture that opens pages in Chromium. <c>test/run</c> installs it; <c>test/run --without-cluster</c> skips these fixtures. The browser
/// only starts for fixtures with this attribute.
/// </summary>
[AttributeUsage(AttributeTargets.Class)]
internal sealed class NeedsBrowserAttribute() : CategoryAttribute(Name)
{
    private new const string Name = "NeedsBrowser";

    /// <exception cref="InvalidOperationException">The fixture that runs lacks the attribute.</exception>
    public static void Require()
    {
        var test = TestContext.CurrentContext.Test;
        if (!test.AllCategories().Contains(Name))
            throw new InvalidOperationException($"{test.ClassName} starts a browser: add [NeedsBrowser] to the fixture.");
    }
}
