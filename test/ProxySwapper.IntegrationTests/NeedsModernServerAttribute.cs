namespace ProxySwapper.IntegrationTests;

/// <summary>
/// A fixture that needs an API server with the types of Kubernetes 1.36, besides <see cref="NeedsServerAttribute"/>: from
/// <c>MODERN_KUBEBUILDER_ASSETS</c>, or from <c>KUBEBUILDER_ASSETS</c> where that is as new. <c>test/run</c> leaves these out, and says so,
/// on a machine that has none.
/// </summary>
[AttributeUsage(AttributeTargets.Class)]
internal sealed class NeedsModernServerAttribute() : CategoryAttribute("NeedsModernServer");
