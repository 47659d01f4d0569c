using ProxySwapper.Registry.Distribution;

namespace ProxySwapper.Registry.Copying;

/// <summary>
/// Copies the referrers of an image and of the manifests below it, recursively: from the referrers API, and from cosign's tags
/// (<see href="https://github.com/sigstore/cosign/blob/main/specs/SIGNATURE_SPEC.md">cosign, signature specification</see>).
/// </summary>
internal sealed class ReferrerCopy(RepositoryClient source, RepositoryClient target, ImageWriter writer)
{
    private const int MaxReferrers = 1000;
    private static readonly string[] CosignSuffixes = [".sig", ".att", ".sbom"];
    private readonly HashSet<Digest> _seen = [];
    private readonly ManifestBudget _budget = ManifestBudget.ForReferrers();

    public async Task RunAsync(ImageGraph image, CancellationToken cancellationToken)
    {
        var subjects = new Queue<Digest>(image.Manifests.Select(node => node.Manifest.Digest));
        while (subjects.TryDequeue(out var subject))
        {
            foreach (var referrer in await source.ListReferrersAsync(subject, cancellationToken))
            {
                if (!_seen.Add(referrer.Digest))
                    continue;
                if (_seen.Count > MaxReferrers)
                    throw new CopyException($"{image.Root.Manifest.Digest} has more than {MaxReferrers} referrers");
                await CopyAsync(referrer.Digest, referrer.Digest.ToString(), cancellationToken);
                subjects.Enqueue(referrer.Digest);
            }
            foreach (var suffix in CosignSuffixes)
            {
                var tag = $"{subject.Algorithm}-{subject.Hex}{suffix}";
                // With sha512, it is too long for a tag, so cosign writes no such tag.
                if (!ImageReference.IsTag(tag))
                    continue;
                if (await source.LookUpManifestAsync(tag, cancellationToken) is { } signature)
                    await CopyAsync(signature.Digest, tag, cancellationToken);
            }
        }
    }

    private async Task CopyAsync(Digest digest, string name, CancellationToken cancellationToken)
    {
        if ((await TargetContent.FindManifestAsync(target.Client, target.Repository, name, cancellationToken))?.Digest == digest)
            return;
        var referrer = await new ImageGraphReader(source, _budget).ReadAsync(digest, cancellationToken);
        await writer.WriteAsync(referrer, [name], cancellationToken);
    }
}
