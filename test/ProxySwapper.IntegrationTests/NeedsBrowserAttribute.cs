namespace ProxySwapper.IntegrationTests;

/// <summary>
/// A fixture that opens pages in Chromium. <c>test/run</c> installs it; <c>test/run --without-cluster</c> leaves these fixtures out. That
/// none is forgotten is checked whenever the browser starts.
/// </summary>
[AttributeUsage(AttributeTargets.Class)]
internal sealed class NeedsBrowserAttribute() : CategoryAttribute(Name)
{
    private new const string Name = "NeedsBrowser";

    /// <exception cref="InvalidOperationException">The fixture that runs lacks the attribute.</exception>
    public static void Demand()
    {
        var test = TestContext.CurrentContext.Test;
        if (!test.AllCategories().Contains(Name))
            throw new InvalidOperationException($"{test.ClassName} starts a browser: add [NeedsBrowser] to the fixture.");
    }
}
