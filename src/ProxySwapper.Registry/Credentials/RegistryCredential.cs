namespace ProxySwapper.Registry.Credentials;

/// <summary>A credential for a registry: a user with a password, or an identity token that its token server exchanges.</summary>
/// <remarks>Its text never shows a secret, so that none can be logged.</remarks>
public sealed record RegistryCredential
{
    /// <summary>
    /// The longest credential that is sent, in characters: the longest tokens of clouds have a few thousand, and most servers reject longer
    /// headers.
    /// </summary>
    public const int MaximumLength = 32 * 1024;

    private RegistryCredential(string username, string password, string? identityToken) =>
        (Username, Password, IdentityToken) = (username, password, identityToken);

    /// <summary>No credential, from a source that knows this registry to be public: the chain ends here.</summary>
    public static RegistryCredential Anonymous { get; } = new("", "", null);

    /// <summary>The user's name, empty with an identity token.</summary>
    public string Username { get; }

    /// <summary>The password, empty with an identity token.</summary>
    public string Password { get; }

    /// <summary>A refresh token for the registry's token server, or null.</summary>
    public string? IdentityToken { get; }

    /// <summary>True for <see cref="Anonymous"/>.</summary>
    public bool IsAnonymous => Username.Length == 0 && Password.Length == 0 && IdentityToken is null;

    /// <summary>True if it exceeds <see cref="MaximumLength"/>.</summary>
    public bool IsTooLong => Username.Length + Password.Length + (IdentityToken?.Length ?? 0) > MaximumLength;

    /// <summary>A user with a password.</summary>
    public static RegistryCredential Basic(string username, string password) => new(username, password, null);

    /// <summary>A refresh token, as stored by <c>docker login</c> for registries such as Azure's.</summary>
    public static RegistryCredential Identity(string token) => new("", "", token);

    /// <inheritdoc />
    public override string ToString() =>
        IsAnonymous ? "anonymous"
        : IdentityToken is null ? $"{Username}:***"
        : "identity token ***";
}
