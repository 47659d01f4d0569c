using System.Collections.Concurrent;
using Google.Apis.Auth.OAuth2;
using Google.Apis.Auth.OAuth2.Responses;
using Microsoft.Extensions.Logging;
using ProxySwapper.Registry.Credentials;
using ProxySwapper.Registry.Timing;

namespace ProxySwapper.Registry.Clouds.Google;

/// <summary>
/// Authenticates to Google's registries with an access token as the password of <c>oauth2accesstoken</c>
/// (<see href="https://cloud.google.com/artifact-registry/docs/docker/authentication#token"/>). The token comes from Application Default
/// Credentials (a key file, Workload Identity on GKE through the metadata server, Workload Identity Federation) or from a host's own key
/// file.
/// </summary>
/// <remarks>
/// Without Application Default Credentials, Google's hosts are used anonymously, which is logged once: public images need no credential.
/// </remarks>
public sealed partial class GoogleCredentialSource : IRegistryCredentialSource
{
    private const string Username = "oauth2accesstoken";
    private const string Scope = "https://www.googleapis.com/auth/cloud-platform";

    /// <summary>Timeout of the search for credentials, and of the token server.</summary>
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(30);

    /// <summary>How long to wait before looking for credentials again if none were found.</summary>
    private static readonly TimeSpan AbsentFor = TimeSpan.FromMinutes(5);

    private readonly IReadOnlyDictionary<RegistryName, string?> _hosts;
    private readonly Func<Task<GoogleCredential>> _findDefault;
    private readonly TimeProvider _time;
    private readonly ILogger<GoogleCredentialSource> _logger;
    private readonly SingleFlight<string, GoogleCredential?> _loads = new();
    private readonly ConcurrentDictionary<string, (GoogleCredential? Credential, DateTimeOffset Until)> _loaded = new(
        StringComparer.Ordinal
    );
    private bool _saidAbsent;

    /// <summary>Creates a source for Google's own hosts and those configured as Google's.</summary>
    /// <param name="hosts">
    /// Hosts that must use Google's credentials, with the path of a service account's key file or null for Application Default Credentials.
    /// </param>
    /// <param name="time">The clock.</param>
    /// <param name="logger">The log.</param>
    public GoogleCredentialSource(
        IReadOnlyDictionary<RegistryName, string?> hosts,
        TimeProvider time,
        ILogger<GoogleCredentialSource> logger
    )
        : this(hosts, GoogleCredential.GetApplicationDefaultAsync, time, logger) { }

    internal GoogleCredentialSource(
        IReadOnlyDictionary<RegistryName, string?> hosts,
        Func<Task<GoogleCredential>> findDefault,
        TimeProvider time,
        ILogger<GoogleCredentialSource> logger
    ) => (_hosts, _findDefault, _time, _logger) = (hosts, findDefault, time, logger);

    /// <summary>True for Artifact Registry and Container Registry.</summary>
    public static bool IsGoogle(RegistryName registry) =>
        registry.Text == "gcr.io"
        || registry.Text.EndsWith(".gcr.io", StringComparison.Ordinal)
        || registry.Text.EndsWith(".pkg.dev", StringComparison.Ordinal);

    /// <inheritdoc />
    public async ValueTask<RegistryCredential?> GetAsync(ImageReference image, CancellationToken cancellationToken)
    {
        var isConfigured = _hosts.TryGetValue(image.Registry, out var keyFile);
        if (!isConfigured && !IsGoogle(image.Registry))
            return null;
        try
        {
            if (await LoadAsync(keyFile ?? "", cancellationToken) is not { } credential)
                return isConfigured
                    ? throw new RegistryCredentialException($"google: no Application Default Credentials found for {image.Registry}")
                    : null;
            using var timeout = new OperationTimeout(Timeout, _time, cancellationToken);
            var token = await ((ITokenAccess)credential)
                .GetAccessTokenForRequestAsync(authUri: null, cancellationToken)
                .WaitAsync(timeout.Token);
            return RegistryCredential.Basic(Username, token);
        }
        catch (Exception fault)
            when (fault
                    is TokenResponseException
                        or HttpRequestException
                        or InvalidOperationException
                        or IOException
                        or UnauthorizedAccessException
            )
        {
            throw new RegistryCredentialException($"google: cannot get an access token for {image.Registry}: {fault.Message}", fault);
        }
        catch (OperationCanceledException fault) when (!cancellationToken.IsCancellationRequested)
        {
            throw new RegistryCredentialException($"google: cannot get an access token for {image.Registry}: timed out", fault);
        }
    }

    /// <summary>The credential, which renews its tokens itself; null if there is none.</summary>
    /// <param name="keyFile">A key file, or empty for Application Default Credentials.</param>
    /// <param name="cancellationToken">Cancels the waiting; loading continues for other callers.</param>
    private async Task<GoogleCredential?> LoadAsync(string keyFile, CancellationToken cancellationToken)
    {
        if (_loaded.TryGetValue(keyFile, out var loaded) && _time.GetUtcNow() < loaded.Until)
            return loaded.Credential;
        return await _loads.RunAsync(keyFile, () => keyFile.Length == 0 ? FindDefaultAsync() : ReadAsync(keyFile), cancellationToken);
    }

    private GoogleCredential Keep(string keyFile, GoogleCredential credential)
    {
        var scoped = credential.CreateScoped(Scope);
        _loaded[keyFile] = (scoped, DateTimeOffset.MaxValue);
        return scoped;
    }

    private async Task<GoogleCredential?> ReadAsync(string keyFile) =>
        Keep(
            keyFile,
            (await CredentialFactory.FromFileAsync<ServiceAccountCredential>(keyFile, CancellationToken.None)).ToGoogleCredential()
        );

    private async Task<GoogleCredential?> FindDefaultAsync()
    {
        using var timeout = new OperationTimeout(Timeout, _time, CancellationToken.None);
        try
        {
            // On a broken network the metadata server may never respond: the next caller then searches again.
            return Keep("", await Task.Run(_findDefault).WaitAsync(timeout.Token));
        }
        catch (InvalidOperationException)
        {
            _loaded[""] = (null, _time.GetUtcNow() + AbsentFor);
            if (!_saidAbsent)
                Log.Absent(_logger);
            _saidAbsent = true;
            return null;
        }
    }

    private static partial class Log
    {
        [LoggerMessage(1, LogLevel.Information, "No Application Default Credentials found: using Google's registries anonymously")]
        public static partial void Absent(ILogger logger);
    }
}
