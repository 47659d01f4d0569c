using System.Text.Json.Nodes;
using ProxySwapper.Configuration.Yaml;

namespace ProxySwapper.Kubernetes;

/// <summary>
/// Reads kubeconfig files as kubectl does
/// (<see href="https://kubernetes.io/docs/concepts/configuration/organize-cluster-access-kubeconfig/">Organizing Cluster Access</see>):
/// of several files the first that has a name wins, and paths are relative to the file that they stand in.
/// </summary>
internal sealed class KubeconfigReader(TimeProvider time)
{
    private const string ExecGroup = "client.authentication.k8s.io/";

    /// <summary>The connection of a context.</summary>
    /// <param name="files">Files in order; those that are not there are passed over, as long as one is.</param>
    /// <param name="context">The context's name, or null for the current one.</param>
    /// <exception cref="KubernetesConnectionException">There is no such context, or it is not usable.</exception>
    /// <exception cref="ConfigurationException">A file is no kubeconfig.</exception>
    public KubernetesConnection Read(IReadOnlyList<string> files, string? context)
    {
        var documents = Load(files);
        var names = string.Join(", ", files);
        context ??=
            documents.Select(document => document.Top.String("current-context")).FirstOrDefault(name => name is { Length: > 0 })
            ?? throw new KubernetesConnectionException($"{names} has no current-context.");
        var (chosen, _) = Named(documents, "contexts", "context", context, names);
        var (cluster, clusterDirectory) = Named(documents, "clusters", "cluster", chosen.String("cluster") ?? "", names);
        var address = cluster.String("server");
        if (!Uri.TryCreate(address, UriKind.Absolute, out var server) || server.Scheme is not ("https" or "http"))
            throw new KubernetesConnectionException($"The server '{address}' of context {context} in {names} is no http or https address.");
        var userName = chosen.String("user");
        var user = userName is { Length: > 0 } ? Named(documents, "users", "user", userName, names) : ((YamlSection, string)?)null;
        return new KubernetesConnection(
            server,
            user is var (section, directory) && section is not null
                ? Credentials(section, directory, cluster, server)
                : new FileCredentialSource(time)
        )
        {
            Namespace = chosen.String("namespace") is { Length: > 0 } @namespace ? @namespace : "default",
            CertificateAuthorities = Pem(cluster, "certificate-authority", clusterDirectory),
            InsecureSkipTlsVerify = cluster.Boolean("insecure-skip-tls-verify") ?? false,
            TlsServerName = cluster.String("tls-server-name"),
            Proxy = cluster.String("proxy-url") is { Length: > 0 } proxy ? new Uri(proxy) : null,
            Impersonation = user is var (who, _) && who is not null ? ImpersonationOf(who) : [],
        };
    }

    private static List<(YamlSection Top, string Directory)> Load(IReadOnlyList<string> files)
    {
        var faults = new List<ConfigurationFault>();
        var documents = new List<(YamlSection, string)>();
        foreach (var file in files.Where(File.Exists))
            if (YamlDocumentReader.Read(file, File.ReadAllText(file), faults) is { } top)
                documents.Add((top, Path.GetDirectoryName(Path.GetFullPath(file))!));
        if (faults.Count > 0)
            throw new ConfigurationException(faults);
        return documents.Count > 0
            ? documents
            : throw new KubernetesConnectionException($"There is no kubeconfig at {string.Join(", ", files)}.");
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
                "The kubeconfig's user has an auth-provider, which Kubernetes removed in 1.26; use an exec plugin."
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
            throw new KubernetesConnectionException($"The kubeconfig's {key}-data is no base64.", fault);
        }
        return section.String(key) is { Length: > 0 } file ? PemSource.OfFile(Path.GetFullPath(file, directory)) : null;
    }

    private static ExecPlugin Plugin(YamlSection exec, string directory, YamlSection cluster, Uri server)
    {
        var version = exec.String("apiVersion") ?? "";
        if (version is not (ExecGroup + "v1" or ExecGroup + "v1beta1"))
            throw new KubernetesConnectionException(
                $"The kubeconfig's exec has apiVersion '{version}'; known are {ExecGroup}v1 and {ExecGroup}v1beta1."
            );
        var command = exec.String("command") ?? throw new KubernetesConnectionException("The kubeconfig's exec names no command.");
        if (exec.String("interactiveMode") == "Always")
            throw new KubernetesConnectionException(
                $"The credential plugin {command} wants to talk to a person (interactiveMode Always), and there is none."
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
        foreach (var group in user.Strings("as-groups"))
            headers.Add(new("Impersonate-Group", group));
        return headers;
    }
}
