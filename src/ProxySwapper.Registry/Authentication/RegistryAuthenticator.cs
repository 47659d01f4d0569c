using System.Net;
using ProxySwapper.Registry.Credentials;
using ProxySwapper.Registry.Transport;

namespace ProxySwapper.Registry.Authentication;

/// <summary>
/// Authenticates to one host with one credential source. The host's challenge is remembered, so that later requests start with the right
/// authorization; a rejection is handled in three steps: what the challenge asks for, then a new token, then a renewed credential.
/// </summary>
internal sealed class RegistryAuthenticator(HostAuthentication host, IRegistryCredentialSource source)
{
    public AuthenticationChallenge? Challenge => host.Challenge;

    /// <inheritdoc cref="IRegistryCredentialSource.IsOwn"/>
    public bool IsOwn => source.IsOwn;

    /// <summary>The authorization to start with; null until the host has sent a challenge.</summary>
    public async ValueTask<RequestAuthorization?> AuthorizeAsync(RegistryRequest request, CancellationToken cancellationToken)
    {
        if (host.Challenge is not { } challenge)
            return null;
        return await AuthorizeAsync(request, challenge, [], await CredentialAsync(request, cancellationToken), cancellationToken);
    }

    /// <summary>A better authorization after a rejection; null if there is none, and the rejection is final.</summary>
    public async ValueTask<RequestAuthorization?> ReauthorizeAsync(
        RegistryRequest request,
        RequestAuthorization? rejected,
        RegistryException rejection,
        AuthenticationChallenge? challenge,
        CancellationToken cancellationToken
    )
    {
        if (!IsAboutAuthentication(rejection, challenge, rejected))
            return null;
        if (challenge is not null)
            host.Challenge = challenge;
        if (host.Challenge is not { } current)
            return null;
        if (rejected is null)
            return await AuthorizeAsync(
                request,
                current,
                challenge?.Scopes ?? [],
                await CredentialAsync(request, cancellationToken),
                cancellationToken
            );
        if (rejected is { Token: { } token, Key: { } key })
            host.Tokens.Drop(key, token);
        if (rejected is { Token: not null, IsFresh: false })
            return await AuthorizeAsync(request, current, challenge?.Scopes ?? [], rejected.Credential, cancellationToken);
        if (rejected.IsRenewed || await RenewAsync(request, rejected.Credential, cancellationToken) is not { } renewed)
            return null;
        return await AuthorizeAsync(request, current, challenge?.Scopes ?? [], renewed, cancellationToken) is { } authorization
            ? authorization with
            {
                IsRenewed = true,
            }
            : null;
    }

    /// <summary>A 401, a 403 that asks for another token, or a possibly expired password at a registry that does not send 401.</summary>
    private static bool IsAboutAuthentication(
        RegistryException rejection,
        AuthenticationChallenge? challenge,
        RequestAuthorization? rejected
    ) =>
        rejection.Status == HttpStatusCode.Unauthorized
        || rejected is not null
            && RegistryQuirks.MayBeExpiredPassword(rejection)
            && (rejection.Status != HttpStatusCode.Forbidden || challenge is null || challenge.IsBearer);

    private async ValueTask<RequestAuthorization?> AuthorizeAsync(
        RegistryRequest request,
        AuthenticationChallenge challenge,
        IReadOnlyList<string> named,
        RegistryCredential credential,
        CancellationToken cancellationToken
    )
    {
        // Known even where they are not sent: the server may have seen them in an earlier request.
        request.Secrets.Add(TokenClient.BasicOf(credential));
        if (credential.IdentityToken is { } identity)
            request.Secrets.Add(identity);
        if (!challenge.IsBearer)
            return TokenClient.BasicOf(credential) is null ? null : new RequestAuthorization(credential, null, null);
        if (TokenRealm.Validate(challenge.Realm, await host.Host.AddressAsync(cancellationToken)) is { } reason)
            throw request.Fault(
                HttpStatusCode.Unauthorized,
                $"its token server {TokenRealm.Describe(challenge.Realm)} {reason}, so no credential is sent to it"
            );
        var realm = new Uri(challenge.Realm!);
        // The scopes that the registry names for this repository are requested anyway, perhaps in another form; those for other names may
        // be generic ones that some registries use for everything.
        var others = named
            .Union(challenge.Scopes.Where(name => !name.StartsWith("repository:", StringComparison.Ordinal)), StringComparer.Ordinal)
            .Where(name => !name.StartsWith($"repository:{request.Repository}:", StringComparison.Ordinal))
            .ToList();
        var key = KeyOf(request.Scope);
        if (host.Tokens.Find(key) is { } cached)
            return new RequestAuthorization(credential, cached, key);
        if (!request.Scope.Push)
        {
            // A push token also allows reading, which saves fetching another one.
            var wider = KeyOf(request.Scope with { Push = true });
            if (host.Tokens.Find(wider) is { } writing)
                return new RequestAuthorization(credential, writing, wider);
        }
        try
        {
            return new RequestAuthorization(credential, await FetchAsync(key), key) { IsFresh = true };
        }
        catch (RegistryException rejection)
            when (rejection.Status is HttpStatusCode.Unauthorized or HttpStatusCode.Forbidden or HttpStatusCode.BadRequest)
        {
            if (await RenewAsync(request, credential, cancellationToken) is not { } renewed)
                throw;
            key = key with { Credential = renewed };
            return new RequestAuthorization(renewed, await FetchAsync(key), key) { IsFresh = true, IsRenewed = true };
        }

        TokenKey KeyOf(RegistryScope scope) =>
            new(credential, realm, challenge.Service, string.Join(' ', scope.Names.Union(others, StringComparer.Ordinal)));
        Task<BearerToken> FetchAsync(TokenKey of) => host.Tokens.GetAsync(of, host.TokenClient.FetchAsync, cancellationToken);
    }

    private async ValueTask<RegistryCredential> CredentialAsync(RegistryRequest request, CancellationToken cancellationToken) =>
        Bounded(request, await source.GetAsync(ImageOf(request), cancellationToken)) ?? RegistryCredential.Anonymous;

    private async ValueTask<RegistryCredential?> RenewAsync(
        RegistryRequest request,
        RegistryCredential rejected,
        CancellationToken cancellationToken
    ) =>
        Bounded(request, await source.RenewAsync(ImageOf(request), rejected, cancellationToken)) is { } renewed && renewed != rejected
            ? renewed
            : null;

    /// <summary>Whatever the source: a helper or a cloud's server may return anything.</summary>
    private static RegistryCredential? Bounded(RegistryRequest request, RegistryCredential? credential) =>
        credential is not { IsTooLong: true }
            ? credential
            : throw new RegistryCredentialException(
                $"the credential for {request.Registry} has more than {RegistryCredential.MaximumLength} characters"
            );

    /// <summary>A ping has no repository, so credentials scoped to one do not apply.</summary>
    private static ImageReference ImageOf(RegistryRequest request) =>
        ImageReference.Parse($"{request.Registry}/{(request.Repository.Length == 0 ? "ping/ping" : request.Repository)}");
}
