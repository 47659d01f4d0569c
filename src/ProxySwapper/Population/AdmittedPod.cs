using ProxySwapper.Rules;

namespace ProxySwapper.Population;

/// <summary>A Pod as it was let into the cluster: all that population needs of it, and nothing that changes.</summary>
/// <param name="Origin">The Pod.</param>
/// <param name="Images">Its images, each once.</param>
internal sealed record AdmittedPod(PodOrigin Origin, IReadOnlyList<AdmittedImage> Images);

/// <summary>One image of a Pod.</summary>
/// <param name="Decision">What the rules said of it.</param>
/// <param name="IsAlwaysPulled">True when kubelet asks the registry at each start: the pull policy Always, or none said and the tag latest.</param>
internal sealed record AdmittedImage(ImageDecision Decision, bool IsAlwaysPulled);
