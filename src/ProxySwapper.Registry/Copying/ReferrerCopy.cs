using ProxySwapper.Registry.Distribution;

namespace ProxySwapper.Registry.Copying;

/// <summary>
/// Takes along what refers to an image and to the manifests below it, and what refers to that: by the referrers API, and by the tags
/// that cosign writes (<see href="https://github.com/sigstore/cosign/blob/main/specs/SIGNATURE_SPEC.md">cosign, signature
/// specification</see>).
/// </summary>
internal sealed class ReferrerCopy(ImageCopy copy, RegistryClient source, RegistryClient target, CopyRequest request)
{
    private const int MaximumReferrers = 1000;
    private static readonly string[] CosignSuffixes = [".sig", ".att", ".sbom"];

    private readonly HashSet<Digest> _seen = [];

    public async Task RunAsync(ImageGraph image, CancellationToken cancellationToken)
    {
        var subjects = new Queue<Digest>(image.Manifests.Select(node => node.Content.Digest));
        while (subjects.TryDequeue(out var subject))
        {
            foreach (var referrer in await source.ListReferrersAsync(request.Source.Repository, subject, cancellationToken))
            {
                if (!_seen.Add(referrer.Digest))
                    continue;
                if (_seen.Count > MaximumReferrers)
                    throw new CopyException($"{image.Root.Content.Digest} has more than {MaximumReferrers} referrers");
                await CopyAsync(referrer.Digest, referrer.Digest.ToString(), cancellationToken);
                subjects.Enqueue(referrer.Digest);
            }
            foreach (var suffix in CosignSuffixes)
            {
                var tag = $"{subject.Algorithm}-{subject.Hex}{suffix}";
                if (await source.HeadManifestAsync(request.Source.Repository, tag, cancellationToken) is { } signature)
                    await CopyAsync(signature.Digest, tag, cancellationToken);
            }
        }
    }

    private async Task CopyAsync(Digest digest, string name, CancellationToken cancellationToken)
    {
        if ((await TargetContent.FindManifestAsync(target, request.Target.Repository, name, cancellationToken))?.Digest == digest)
            return;
        await copy.WriteAsync(await copy.ReadWholeAsync(digest, cancellationToken), [name], cancellationToken);
    }
}
