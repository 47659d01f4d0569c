using System.Net;
using System.Runtime.CompilerServices;
using System.Runtime.ExceptionServices;
using ProxySwapper.Kubernetes;
using ProxySwapper.Kubernetes.Connection;
using ProxySwapper.Population.Work;
using ProxySwapper.Registry;
using ProxySwapper.Registry.Credentials;

namespace ProxySwapper.Population.Transfer;

/// <summary>
/// The credentials for the source of one copy, in kubelet's order: the Pod's pull secrets (or its service account's, if it has none), then
/// this program's own. Secrets are read when needed and never kept beyond the copy.
/// </summary>
internal sealed partial class SourceCredentials(
    PullSecretReader? secrets,
    IRegistryCredentialSource own,
    Func<bool> usesPullSecrets,
    Func<string, string, IRegistryCredentialSource> parse,
    ILogger<SourceCredentials> logger
)
{
    /// <summary>Secrets of one namespace that are read for one copy.</summary>
    private const int MaximumSecrets = 32;

    private readonly OncePerNamespace _told = new();

    /// <summary>
    /// The credential sources to try in turn for a source image. If Pods of several namespaces need the image, the namespaces take turns,
    /// each with its Pods' secrets and then our own credentials, so that the wrong secrets of one do not delay the others.
    /// </summary>
    /// <exception cref="KubernetesException">All were rejected, and a secret could not be read this time.</exception>
    /// <param name="source">The image.</param>
    /// <param name="origins">The Pods that need it.</param>
    /// <param name="isOver">Whether the secrets of a namespace that are left are not to be tried.</param>
    /// <param name="cancellationToken">Ends the reading of secrets.</param>
    public async IAsyncEnumerable<SourceCredential> ForAsync(
        ImageReference source,
        IReadOnlyList<PodOrigin> origins,
        Func<string, bool> isOver,
        [EnumeratorCancellation] CancellationToken cancellationToken
    )
    {
        var namespaces = new Queue<(string Name, IAsyncEnumerator<IRegistryCredentialSource> Secrets)>();
        var unread = new List<Exception>();
        if (secrets is not null && usesPullSecrets())
            foreach (var pods in origins.Where(origin => origin.Uid is not null).GroupBy(origin => origin.Namespace))
                namespaces.Enqueue(
                    (pods.Key, SecretsAsync(secrets, source, [.. pods], unread, cancellationToken).GetAsyncEnumerator(cancellationToken))
                );
        var isOwnGiven = false;
        while (namespaces.TryDequeue(out var next))
        {
            if (!isOver(next.Name) && await next.Secrets.MoveNextAsync())
            {
                yield return new SourceCredential(next.Name, next.Secrets.Current);
                namespaces.Enqueue(next);
                continue;
            }
            await next.Secrets.DisposeAsync();
            if (!isOwnGiven)
                yield return new SourceCredential(null, own);
            isOwnGiven = true;
        }
        if (!isOwnGiven)
            yield return new SourceCredential(null, own);
        if (unread is [var first, ..])
            ExceptionDispatchInfo.Throw(first);
    }

    /// <summary>The usable secrets of the Pods of one namespace.</summary>
    private async IAsyncEnumerable<IRegistryCredentialSource> SecretsAsync(
        PullSecretReader reader,
        ImageReference source,
        IReadOnlyList<PodOrigin> pods,
        List<Exception> unread,
        [EnumeratorCancellation] CancellationToken cancellationToken
    )
    {
        var read = new HashSet<string>(StringComparer.Ordinal);
        foreach (var pod in pods)
        foreach (var name in await NamesOfAsync(reader, pod, unread, cancellationToken))
        {
            if (read.Count == MaximumSecrets)
                yield break;
            if (!read.Add(name))
                continue;
            var json = await ReadAsync(
                () => reader.DockerConfigAsync(pod.Namespace, name, cancellationToken),
                "secrets",
                pod.Namespace,
                unread
            );
            if (json is not null && await UsableAsync(json, pod.Namespace, name, source, cancellationToken) is { } secret)
                yield return secret;
        }
    }

    private async Task<IReadOnlyList<string>> NamesOfAsync(
        PullSecretReader reader,
        PodOrigin pod,
        List<Exception> unread,
        CancellationToken cancellationToken
    ) =>
        pod.PullSecrets.Count > 0
            ? pod.PullSecrets
            : await ReadAsync<IReadOnlyList<string>>(
                async () => await reader.NamesOfAccountAsync(pod.Namespace, pod.ServiceAccount, cancellationToken),
                "service accounts",
                pod.Namespace,
                unread
            ) ?? [];

    /// <summary>Objects that we may not read count as missing, which is logged once; temporary failures are remembered.</summary>
    private async Task<T?> ReadAsync<T>(Func<Task<T?>> read, string kind, string @namespace, List<Exception> unread)
        where T : class
    {
        try
        {
            return await read();
        }
        catch (KubernetesException exception) when (exception.Status == HttpStatusCode.Forbidden)
        {
            if (_told.IsFirst(@namespace, kind))
                Log.Forbidden(logger, kind, @namespace, exception.Message);
            return null;
        }
        catch (Exception fault) when (fault is KubernetesException or KubernetesConnectionException)
        {
            unread.Add(fault);
            return null;
        }
    }

    /// <summary>A secret with a credential for the source. An unusable one is its owner's problem; the next one is tried.</summary>
    private async Task<IRegistryCredentialSource?> UsableAsync(
        string json,
        string @namespace,
        string secretName,
        ImageReference source,
        CancellationToken cancellationToken
    )
    {
        var name = $"pull secret {@namespace}/{secretName}";
        try
        {
            var secret = parse(json, name);
            return await secret.GetAsync(source, cancellationToken) is null ? null : secret;
        }
        catch (RegistryCredentialException fault)
        {
            if (_told.IsFirst(@namespace, name))
                Log.Unusable(logger, name, fault.Message);
            return null;
        }
    }

    private static partial class Log
    {
        [LoggerMessage(
            1,
            LogLevel.Warning,
            "The {Kind} of namespace {Namespace} may not be read, so that its images are copied without pull secrets: {Fault}"
        )]
        public static partial void Forbidden(ILogger logger, string kind, string @namespace, string fault);

        [LoggerMessage(2, LogLevel.Warning, "Ignoring {Secret}: {Fault}")]
        public static partial void Unusable(ILogger logger, string secret, string fault);
    }
}

/// <summary>A credential source to try for a source image.</summary>
/// <param name="Namespace">The namespace whose pull secret it is; null for our own.</param>
/// <param name="Source">The credential source.</param>
internal readonly record struct SourceCredential(string? Namespace, IRegistryCredentialSource Source);
