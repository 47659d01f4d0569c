using Microsoft.Extensions.Logging;
using ProxySwapper.Registry.Protocol;

namespace ProxySwapper.Registry.Copying;

/// <summary>
/// The only code that copies. One per run: what it learns of the target (which repository has which blob) and what is under way
/// is shared by all its copies, so that each digest moves once.
/// </summary>
public sealed class ImageCopier(RegistryClients clients, TimeProvider time, ILogger<ImageCopier> logger)
{
    /// <summary>Copies one image. A tag appears at the target only when all below it is there.</summary>
    /// <exception cref="RegistryException">Source or target finally refused.</exception>
    public Task<CopyResult> CopyAsync(CopyRequest request, CancellationToken cancellationToken) =>
        throw new NotImplementedException($"{clients} {time} {logger}");

    /// <summary>What a copy would do, by requests that change nothing.</summary>
    public Task<CopyPlan> PlanAsync(CopyRequest request, CancellationToken cancellationToken) =>
        throw new NotImplementedException($"{clients} {time} {logger}");
}
