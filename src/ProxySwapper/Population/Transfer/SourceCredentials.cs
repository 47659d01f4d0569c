using System.Runtime.CompilerServices;
using ProxySwapper.Kubernetes;
using ProxySwapper.Population.Work;
using ProxySwapper.Registry;
using ProxySwapper.Registry.Credentials;

namespace ProxySwapper.Population.Transfer;

/// <summary>
/// The credentials for the source of one copy, in kubelet's order: the Pod's pull secrets (or its service account's, if it has none), then
/// this program's own. Secrets are read when needed and never kept beyond the copy.
/// </summary>
internal sealed class SourceCredentials(
    PullSecretReader? secrets,
    IRegistryCredentialSource own,
    Func<bool> usesPullSecrets,
    Func<string, string, IRegistryCredentialSource> parse
)
{
    /// <summary>The credential sources to try in turn for a source image.</summary>
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

    /// <summary>A secret with a credential for the source. An unreadable one is its owner's problem; the next one is tried.</summary>
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
