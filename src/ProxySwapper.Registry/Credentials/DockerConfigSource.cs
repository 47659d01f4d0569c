using System.Text.Json;

namespace ProxySwapper.Registry.Credentials;

/// <summary>
/// Credentials from a Docker <c>config.json</c> or a pull secret in the same format: <c>auths</c> for hosts or single
/// repositories, helpers by host (<c>credHelpers</c>) and for all (<c>credsStore</c>)
/// (<see href="https://docs.docker.com/reference/cli/docker/login/#credential-stores">docker login</see>,
/// <see href="https://kubernetes.io/docs/concepts/containers/images/#config-json">Kubernetes, interpretation of config.json</see>).
/// </summary>
public sealed class DockerConfigSource : IRegistryCredentialSource
{
    private const string AuthVariable = "DOCKER_AUTH_CONFIG";

    private readonly string _name;
    private readonly Func<DockerConfig?> _read;
    private readonly bool _usesHelpers;
    private readonly TimeProvider _time;

    private DockerConfigSource(string name, Func<DockerConfig?> read, bool usesHelpers, TimeProvider time) =>
        (_name, _read, _usesHelpers, _time) = (name, read, usesHelpers, time);

    /// <summary>Creates a source from a text, such as a pull secret. Its helpers are not run, since the text is not trusted.</summary>
    /// <param name="json">The text of a <c>config.json</c>.</param>
    /// <param name="name">The name of the source in errors.</param>
    /// <exception cref="RegistryCredentialException">The text is not JSON in that format.</exception>
    public static DockerConfigSource FromJson(string json, string name)
    {
        var config = Parse(json, name);
        return new DockerConfigSource(name, () => config, usesHelpers: false, TimeProvider.System) { IsOwn = false };
    }

    /// <inheritdoc />
    public bool IsOwn { get; private init; } = true;

    /// <summary>
    /// Creates a source for a file, which is read each time, so that a new login takes effect at once. A missing file has no credentials.
    /// </summary>
    /// <param name="path">The file.</param>
    /// <param name="time">The clock for helper timeouts; null for the system's.</param>
    public static DockerConfigSource FromFile(string path, TimeProvider? time = null) =>
        new(path, () => ReadFile(path), usesHelpers: true, time ?? TimeProvider.System);

    /// <summary>
    /// Creates a source for the places that Docker, Podman and CI systems use: the text of <c>DOCKER_AUTH_CONFIG</c>, the files
    /// <c>REGISTRY_AUTH_FILE</c>, <c>$XDG_RUNTIME_DIR/containers/auth.json</c>,
    /// <c>$DOCKER_CONFIG/config.json</c> or <c>~/.docker/config.json</c>, in that order.
    /// </summary>
    /// <param name="variables">Name the files.</param>
    public static IReadOnlyList<DockerConfigSource> Defaults(EnvironmentVariables variables)
    {
        var home = variables["HOME"] ?? Environment.GetFolderPath(Environment.SpecialFolder.UserProfile);
        string?[] paths =
        [
            variables["REGISTRY_AUTH_FILE"],
            variables["XDG_RUNTIME_DIR"] is { Length: > 0 } runtime ? Path.Combine(runtime, "containers", "auth.json") : null,
            Path.Combine(variables["DOCKER_CONFIG"] is { Length: > 0 } folder ? folder : Path.Combine(home, ".docker"), "config.json"),
        ];
        return
        [
            new DockerConfigSource(AuthVariable, () => ReadVariable(variables), usesHelpers: false, TimeProvider.System),
            .. paths.OfType<string>().Where(path => path.Length > 0).Select(path => FromFile(path)),
        ];
    }

    /// <inheritdoc />
    public async ValueTask<RegistryCredential?> GetAsync(ImageReference image, CancellationToken cancellationToken)
    {
        if (_read() is not { } config)
            return null;
        if (config.HelperOf(image.Registry) is { } helper)
        {
            if (_usesHelpers)
                return await new CredentialHelperProcess(helper, _time).GetAsync(image.Registry, cancellationToken);
            if (IsOwn && config.Find(image) is null)
                throw new RegistryCredentialException(
                    $"{_name}: credHelpers['{image.Registry}'] is not run from a variable; use a file, such as ~/.docker/config.json"
                );
        }
        if (config.Find(image) is { } credential)
            return credential.IsTooLong
                ? throw new RegistryCredentialException(
                    $"{_name}: the credential for {image.Registry} has more than {RegistryCredential.MaximumLength} characters"
                )
                : credential;
        if (_usesHelpers && config.Store is { } store)
            return await new CredentialHelperProcess(store, _time).GetAsync(image.Registry, cancellationToken);
        // Of another's source it is passed over; of our own, an anonymous request would hide the mistake.
        return IsOwn && config.FaultOf(image) is { } wrong ? throw new RegistryCredentialException($"{_name}: {wrong}") : null;
    }

    /// <inheritdoc />
    public override string ToString() => _name;

    private static DockerConfig? ReadFile(string path)
    {
        string text;
        try
        {
            text = TextFile.Read(path);
        }
        catch (Exception fault) when (fault is FileNotFoundException or DirectoryNotFoundException)
        {
            return null;
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            throw new RegistryCredentialException($"cannot read {path}: {fault.Message}", fault);
        }
        return Parse(text, path);
    }

    private static DockerConfig? ReadVariable(EnvironmentVariables variables) =>
        variables[AuthVariable] is { Length: > 0 } json ? Parse(json, AuthVariable) : null;

    private static DockerConfig Parse(string json, string name)
    {
        try
        {
            return DockerConfig.Parse(json);
        }
        catch (JsonException fault)
        {
            // The parser's message could quote a secret.
            throw new RegistryCredentialException($"{name} is not a Docker configuration: invalid JSON in line {fault.LineNumber + 1}");
        }
        catch (ArgumentException)
        {
            throw new RegistryCredentialException($"{name} is not a Docker configuration: not Unicode");
        }
    }
}
