using System.Runtime.CompilerServices;
using ProxySwapper.Kubernetes;
using ProxySwapper.Population.Work;
using ProxySwapper.Registry;
using ProxySwapper.Registry.Credentials;

namespace ProxySwapper.Population.Transfer;

/// <summary>
/// The ways in which the source of one copy may be opened, in kubelet's order: the Pod's pull secrets (those of its service account when
/// it names none), then what this program has itself. Secrets are read when their turn comes, and nothing of them outlives the copy.
/// </summary>
internal sealed class SourceCredentials(
    PullSecretReader? secrets,
    IRegistryCredentialSource own,
    Func<bool> usesPullSecrets,
    Func<string, string, IRegistryCredentialSource> parse
)
{
    /// <summary>Credential sources for a source image, each worth a try when the one before was refused.</summary>
    public async IAsyncEnumerable<IRegistryCredentialSource> ForAsync(
        ImageReference source,
        IReadOnlyList<PodOrigin> origins,
        [EnumeratorCancellation] CancellationToken cancellationToken
    )
    {
        if (secrets is not null && usesPullSecrets())
            foreach (var origin in origins.Where(origin => origin.Uid is not null))
            foreach (var name in await NamesOfAsync(secrets, origin, cancellationToken))
                if (await secrets.DockerConfigAsync(origin.Namespace, name, cancellationToken) is { } json)
                    if (await UsableAsync(json, $"pull secret {origin.Namespace}/{name}", source, cancellationToken) is { } secret)
                        yield return secret;
        yield return own;
    }

    /// <summary>A secret that has something for the source. One that cannot be read is its owner's, and the next one is tried.</summary>
    private async Task<IRegistryCredentialSource?> UsableAsync(
        string json,
        string name,
        ImageReference source,
        CancellationToken cancellationToken
    )
    {
        try
        {
            var secret = parse(json, name);
            return await secret.GetAsync(source, cancellationToken) is null ? null : secret;
        }
        catch (RegistryCredentialException)
        {
            return null;
        }
    }

    private static async Task<IReadOnlyList<string>> NamesOfAsync(
        PullSecretReader secrets,
        PodOrigin origin,
        CancellationToken cancellationToken
    ) =>
        origin.PullSecrets.Count > 0
            ? origin.PullSecrets
            : await secrets.NamesOfAccountAsync(origin.Namespace, origin.ServiceAccount, cancellationToken);
}
