using System.Runtime.CompilerServices;
using ProxySwapper.Registry.Distribution;
using ProxySwapper.Registry.Oci;

namespace ProxySwapper.Registry.Copying;

/// <summary>
/// Copies the referrers of an image and of the manifests below it, recursively: from the referrers API, and from cosign's tags
/// (<see href="https://github.com/sigstore/cosign/blob/main/specs/SIGNATURE_SPEC.md">cosign, signature specification</see>).
/// </summary>
/// <param name="source">The source's repository.</param>
/// <param name="target">The target's repository.</param>
/// <param name="writer">The writer of the image.</param>
/// <param name="mayOverwrite">Decides about existing tags: <see cref="CopyRequest.MayOverwrite"/>.</param>
internal sealed class ReferrerCopy(
    RepositoryClient source,
    RepositoryClient target,
    ImageWriter writer,
    Func<string, Descriptor, CancellationToken, ValueTask<bool>>? mayOverwrite
)
{
    private const int MaxReferrers = 1000;
    private static readonly string[] CosignSuffixes = [".sig", ".att", ".sbom"];
    private readonly HashSet<Digest> _seen = [];
    private readonly ManifestBudget _budget = ManifestBudget.ForReferrers();
    private readonly List<string> _keptTags = [];

    /// <summary>Tags of cosign that were found to differ at the target and must not be overwritten.</summary>
    public IReadOnlyList<string> KeptTags => _keptTags;

    public async Task RunAsync(ImageGraph image, CancellationToken cancellationToken)
    {
        await foreach (var (referrer, name) in ReadMissingAsync(image, cancellationToken))
            await writer.WriteAsync(referrer, [name], cancellationToken);
    }

    /// <summary>The referrers of a manifest of the source, by digest, and cosign's tags for it.</summary>
    public async Task<IReadOnlyList<string>> ListAsync(Digest subject, CancellationToken cancellationToken)
    {
        var names = new List<string>();
        foreach (var referrer in await source.ListReferrersAsync(subject, cancellationToken))
            names.Add(referrer.Digest.ToString());
        await foreach (var (tag, _) in FindCosignTagsAsync(subject, cancellationToken))
            names.Add(tag);
        return names;
    }

    /// <summary>Reads the referrers that are missing at the target, with the names under which they are written.</summary>
    public async IAsyncEnumerable<(ImageGraph Referrer, string Name)> ReadMissingAsync(
        ImageGraph image,
        [EnumeratorCancellation] CancellationToken cancellationToken
    )
    {
        var subjects = new Queue<Digest>(image.OfSource.Select(node => node.Manifest.Digest));
        while (subjects.TryDequeue(out var subject))
        {
            foreach (var referrer in await source.ListReferrersAsync(subject, cancellationToken))
            {
                if (!_seen.Add(referrer.Digest))
                    continue;
                if (_seen.Count > MaxReferrers)
                    throw new CopyException($"{image.Root.Manifest.Digest} has more than {MaxReferrers} referrers");
                subjects.Enqueue(referrer.Digest);
                if (await writer.IsMissingAsync(referrer, subject, cancellationToken))
                    yield return (await ReadAsync(referrer.Digest, cancellationToken), referrer.Digest.ToString());
            }
            await foreach (var (tag, digest) in FindCosignTagsAsync(subject, cancellationToken))
                if (await IsToBeWrittenAsync(tag, digest, cancellationToken))
                    yield return (await ReadAsync(digest, cancellationToken), tag);
        }
    }

    private async IAsyncEnumerable<(string Tag, Digest Digest)> FindCosignTagsAsync(
        Digest subject,
        [EnumeratorCancellation] CancellationToken cancellationToken
    )
    {
        foreach (var suffix in CosignSuffixes)
        {
            var tag = $"{subject.Algorithm}-{subject.Hex}{suffix}";
            // With sha512, it is too long for a tag, so cosign writes no such tag.
            if (ImageReference.IsTag(tag) && await source.LookUpManifestAsync(tag, cancellationToken) is { } found)
                yield return (tag, found.Digest);
        }
    }

    /// <summary>Unlike a digest, a tag may have other content at the target, such as a signature that was made there.</summary>
    private async Task<bool> IsToBeWrittenAsync(string tag, Digest digest, CancellationToken cancellationToken)
    {
        var mayMove = mayOverwrite is null;
        var present = await TargetContent.LookUpManifestAsync(target.Client, target.Repository, tag, mayMove, cancellationToken);
        if (present?.Digest == digest)
            return false;
        if (present is null || mayOverwrite is null || await mayOverwrite(tag, present, cancellationToken))
            return true;
        _keptTags.Add(tag);
        return false;
    }

    private Task<ImageGraph> ReadAsync(Digest digest, CancellationToken cancellationToken) =>
        new ImageGraphReader(source, _budget).ReadAsync(digest, cancellationToken);
}
