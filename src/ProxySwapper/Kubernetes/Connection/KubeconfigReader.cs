using System.Text.Json.Nodes;
using ProxySwapper.Configuration.Yaml;
using ProxySwapper.Registry;

namespace ProxySwapper.Kubernetes.Connection;

/// <summary>
/// Reads kubeconfig files as kubectl does
/// (<see href="https://kubernetes.io/docs/concepts/configuration/organize-cluster-access-kubeconfig/">Organizing Cluster Access</see>):
/// of several files, the first definition of a name wins, and paths are relative to the file that contains them.
/// </summary>
internal sealed class KubeconfigReader(TimeProvider time)
{
    private const string ExecGroup = "client.authentication.k8s.io/";

    /// <summary>The connection of a context.</summary>
    /// <param name="files">Files in order; missing ones are skipped as long as one exists.</param>
    /// <param name="context">The context's name, or null for the current one.</param>
    /// <exception cref="KubernetesConnectionException">The context does not exist or is not usable.</exception>
    /// <exception cref="ConfigurationException">A file is not a kubeconfig.</exception>
    public KubernetesConnection Read(IReadOnlyList<string> files, string? context)
    {
        var faults = new List<ConfigurationFault>();
        var documents = Load(files, faults);
        KubernetesConnection? connection = null;
        try
        {
            if (faults.Count == 0)
                connection = Connect(documents, string.Join(", ", files), context);
        }
        catch (KubernetesConnectionException) when (faults.Count > 0)
        {
            // The cause is a fault in a file, which is reported with its line.
        }
        return faults.Count == 0 ? connection! : throw new ConfigurationException(faults);
    }

    private KubernetesConnection Connect(List<(YamlSection Top, string Directory)> documents, string names, string? context)
    {
        context ??=
            documents.Select(document => document.Top.String("current-context")).FirstOrDefault(name => name is { Length: > 0 })
            ?? throw new KubernetesConnectionException($"{names} has no current-context.");
        var (chosen, _) = Named(documents, "contexts", "context", context, names);
        var (cluster, clusterDirectory) = Named(documents, "clusters", "cluster", chosen.String("cluster") ?? "", names);
        var server =
            Address(cluster, "server", ["https", "http"], context, names)
            ?? throw new KubernetesConnectionException($"The cluster of context {context} in {names} has no server.");
        var userName = chosen.String("user");
        var user = userName is { Length: > 0 }
            ? Named(documents, "users", "user", userName, names)
            : ((YamlSection Section, string Directory)?)null;
        return new KubernetesConnection(
            server,
            user is { } one ? Credentials(one.Section, one.Directory, cluster, server) : new FileCredentialSource(time)
        )
        {
            Namespace = chosen.String("namespace") is { Length: > 0 } @namespace ? @namespace : "default",
            CertificateAuthorities = Pem(cluster, "certificate-authority", clusterDirectory),
            InsecureSkipTlsVerify = cluster.Boolean("insecure-skip-tls-verify") ?? false,
            TlsServerName = cluster.String("tls-server-name"),
            Proxy = Address(cluster, "proxy-url", ["http", "https", "socks5"], context, names),
            Impersonation = user is { } who ? ImpersonationOf(who.Section) : [],
        };
    }

    private static Uri? Address(YamlSection cluster, string key, string[] schemes, string context, string names)
    {
        if (cluster.String(key) is not { Length: > 0 } text)
            return null;
        return Uri.TryCreate(text, UriKind.Absolute, out var address) && schemes.Contains(address.Scheme)
            ? address
            : throw new KubernetesConnectionException(
                $"The {key} of context {context} in {names} must be a URL with one of these schemes: {string.Join(", ", schemes)}."
            );
    }

    private static List<(YamlSection Top, string Directory)> Load(IReadOnlyList<string> files, List<ConfigurationFault> faults)
    {
        var documents = new List<(YamlSection, string)>();
        foreach (var file in files.Where(File.Exists))
            if (YamlDocumentReader.Read(file, TextOf(file), faults) is { } top)
                documents.Add((top, Path.GetDirectoryName(Path.GetFullPath(file))!));
        return documents.Count > 0 || faults.Count > 0
            ? documents
            : throw new KubernetesConnectionException($"Kubeconfig not found: {string.Join(", ", files)}.");
    }

    private static string TextOf(string file)
    {
        try
        {
            return TextFile.Read(file);
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            throw new KubernetesConnectionException($"{file} cannot be read: {fault.Message}", fault);
        }
    }

    private static (YamlSection Section, string Directory) Named(
        List<(YamlSection Top, string Directory)> documents,
        string list,
        string key,
        string name,
        string files
    )
    {
        foreach (var (top, directory) in documents)
        foreach (var entry in top.Sections(list))
            if (entry.String("name") == name && entry.Section(key) is { } section)
                return (section, directory);
        throw new KubernetesConnectionException($"{files} has no {key} named '{name}'.");
    }

    private IKubernetesCredentialSource Credentials(YamlSection user, string directory, YamlSection cluster, Uri server)
    {
        if (user.Section("exec") is { } exec)
            return new ExecCredentialSource(Plugin(exec, directory, cluster, server), time);
        if (user.Has("auth-provider"))
            throw new KubernetesConnectionException(
                "The kubeconfig's auth-provider is not supported: Kubernetes removed it in 1.26; use an exec plugin."
            );
        return new FileCredentialSource(time)
        {
            Token = user.String("token"),
            TokenFile = user.String("tokenFile") is { Length: > 0 } file ? Path.GetFullPath(file, directory) : null,
            Username = user.String("username"),
            Password = user.String("password"),
            ClientCertificate = Pem(user, "client-certificate", directory),
            ClientKey = Pem(user, "client-key", directory),
        };
    }

    private static PemSource? Pem(YamlSection section, string key, string directory)
    {
        try
        {
            if (section.String($"{key}-data") is { Length: > 0 } data)
                return PemSource.OfBase64(data);
        }
        catch (FormatException fault)
        {
            throw new KubernetesConnectionException($"The kubeconfig's {key}-data is not valid Base64.", fault);
        }
        return section.String(key) is { Length: > 0 } file ? PemSource.OfFile(Path.GetFullPath(file, directory)) : null;
    }

    private static ExecPlugin Plugin(YamlSection exec, string directory, YamlSection cluster, Uri server)
    {
        var version = exec.String("apiVersion") ?? "";
        if (version is not (ExecGroup + "v1" or ExecGroup + "v1beta1"))
            throw new KubernetesConnectionException(
                $"The kubeconfig's exec.apiVersion must be {ExecGroup}v1 or {ExecGroup}v1beta1, not '{version}'."
            );
        var command = exec.String("command") ?? throw new KubernetesConnectionException("The kubeconfig's exec.command is required.");
        if (exec.String("interactiveMode") == "Always")
            throw new KubernetesConnectionException(
                $"The credential plugin {command} requires a terminal (interactiveMode: Always), which is not supported."
            );
        var isPath =
            command.Contains('/', StringComparison.Ordinal) || command.Contains(Path.DirectorySeparatorChar, StringComparison.Ordinal);
        return new ExecPlugin(
            version,
            isPath ? Path.GetFullPath(command, directory) : command,
            exec.Strings("args"),
            [.. exec.Sections("env").Select(variable => KeyValuePair.Create(variable.String("name") ?? "", variable.String("value") ?? ""))]
        )
        {
            InstallHint = exec.String("installHint"),
            Cluster = exec.Boolean("provideClusterInfo") == true ? ClusterInfo(cluster, server) : null,
        };
    }

    private static JsonObject ClusterInfo(YamlSection cluster, Uri server)
    {
        var info = new JsonObject { ["server"] = server.OriginalString };
        if (cluster.String("certificate-authority-data") is { } data)
            info["certificate-authority-data"] = data;
        if (cluster.String("tls-server-name") is { } name)
            info["tls-server-name"] = name;
        if (cluster.Boolean("insecure-skip-tls-verify") == true)
            info["insecure-skip-tls-verify"] = true;
        if (cluster.String("proxy-url") is { } proxy)
            info["proxy-url"] = proxy;
        return info;
    }

    private static List<KeyValuePair<string, string>> ImpersonationOf(YamlSection user)
    {
        var headers = new List<KeyValuePair<string, string>>();
        if (user.String("as") is { Length: > 0 } name)
            headers.Add(new("Impersonate-User", name));
        if (user.String("as-uid") is { Length: > 0 } uid)
            headers.Add(new("Impersonate-Uid", uid));
        if (Single(user.Strings("as-groups"), "as-groups") is { } group)
            headers.Add(new("Impersonate-Group", group));
        if (user.Section("as-user-extra") is { } extra)
            foreach (var key in extra.Keys)
                if (Single(extra.Strings(key), $"as-user-extra.{key}") is { } value)
                    headers.Add(new($"Impersonate-Extra-{Uri.EscapeDataString(key)}", value));
        return headers;
    }

    /// <summary>
    /// The API server reads one value per header line, and .NET joins the values of a header in one line: several would be one wrong name.
    /// </summary>
    private static string? Single(IReadOnlyList<string> values, string key) =>
        values.Count switch
        {
            0 => null,
            1 => values[0],
            _ => throw new KubernetesConnectionException($"The kubeconfig's {key} has {values.Count} values; only one is supported."),
        };
}
