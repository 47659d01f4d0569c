using System.Net;
using System.Net.Sockets;
using System.Text;
using ProxySwapper.Configuration.Yaml;
using ProxySwapper.Patterns;

namespace ProxySwapper.Kubernetes.Connection;

/// <summary>
/// Reads kubeconfig files as kubectl does
/// (<see href="https://kubernetes.io/docs/concepts/configuration/organize-cluster-access-kubeconfig/">Organizing Cluster Access</see>):
/// of several files, the first definition of a name wins, and paths are relative to the file that contains them.
/// </summary>
internal sealed class KubeconfigReader(TimeProvider time)
{
    /// <summary>The connection of a context.</summary>
    /// <param name="files">Files in order; missing ones are skipped as long as one exists.</param>
    /// <param name="context">The context's name, or null for the current one.</param>
    /// <exception cref="KubernetesConnectionException">The context does not exist or is not usable.</exception>
    /// <exception cref="ConfigurationException">A file is not a kubeconfig, or a value of the context is not valid.</exception>
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
        return faults.Count == 0 ? connection! : throw new ConfigurationException(faults.Distinct());
    }

    private KubernetesConnection Connect(List<KubeconfigSection> documents, string names, string? context)
    {
        context ??=
            documents.Select(document => document.Keys.String("current-context")).FirstOrDefault(name => name is { Length: > 0 })
            ?? throw new KubernetesConnectionException($"{names} has no current-context.");
        var chosen = Named(documents, "contexts", "context", context, names).Keys;
        var cluster = Named(documents, "clusters", "cluster", chosen.String("cluster") ?? "", names);
        var user = chosen.String("user") is { Length: > 0 } userName
            ? new KubeconfigUser(Named(documents, "users", "user", userName, names), time)
            : null;
        cluster.Required("server", "the URL of the API server");
        var server = Address(cluster.Keys, "server", isServer: true, "https", "http");
        var credentials = user is null ? new FileCredentialSource(time) : user.Credentials(cluster.Keys);
        // Null only with a fault, when the connection is not used.
        return new KubernetesConnection(server!, credentials!)
        {
            Namespace = Namespace(chosen),
            CertificateAuthorities = cluster.Pem("certificate-authority", CertificateAuthorities.Validate),
            InsecureSkipTlsVerify = cluster.Keys.Boolean("insecure-skip-tls-verify") ?? false,
            TlsServerName = ServerName(cluster.Keys),
            Proxy = Address(cluster.Keys, "proxy-url", isServer: false, "http", "https", "socks5"),
            Impersonation = user?.Impersonation() ?? [],
        };
    }

    private static Uri? Address(YamlSection cluster, string key, bool isServer, params string[] schemes)
    {
        if (cluster.String(key) is not { } text || string.IsNullOrWhiteSpace(text))
            return null;
        var isUrl = Uri.TryCreate(text, UriKind.Absolute, out var address) && schemes.Contains(address.Scheme);
        // Only a proxy's URL may have a user; paths of the API are added to that of the server.
        if (isUrl && !(isServer && (address!.UserInfo.Length > 0 || text.AsSpan().ContainsAny('?', '#'))))
            return address;
        // The value is not repeated, since it may contain a password.
        cluster.Fault(
            key,
            $"must be a URL with one of these schemes: {string.Join(", ", schemes)}"
                + (isServer ? "; without user and password, and without query" : "")
        );
        return null;
    }

    private static string? ServerName(YamlSection cluster)
    {
        if (cluster.String("tls-server-name") is not { Length: > 0 } name)
            return null;
        if (IPAddress.TryParse(name, out var address) && address.AddressFamily == AddressFamily.InterNetworkV6 && address.ScopeId == 0)
            return $"[{address}]";
        if (Ascii.IsValid(name) && Uri.CheckHostName(name) is UriHostNameType.Dns or UriHostNameType.IPv4)
            return name;
        cluster.Fault("tls-server-name", "must be a host name or an IP address, without a port");
        return null;
    }

    private static string Namespace(YamlSection context)
    {
        if (context.String("namespace") is not { Length: > 0 } name)
            return "default";
        if (!ObjectName.IsValid(name))
            context.Fault("namespace", $"must be the name of a namespace: {ObjectName.Rule}");
        return name;
    }

    private static List<KubeconfigSection> Load(IReadOnlyList<string> files, List<ConfigurationFault> faults)
    {
        var documents = new List<KubeconfigSection>();
        foreach (var file in files.Where(File.Exists))
            if (YamlDocumentReader.Read(file, PemSource.OfFile(file).Read(), faults) is { } top)
                documents.Add(new(top, file));
        return documents.Count > 0 || faults.Count > 0
            ? documents
            : throw new KubernetesConnectionException($"Kubeconfig not found: {string.Join(", ", files)}.");
    }

    private static KubeconfigSection Named(List<KubeconfigSection> documents, string list, string key, string name, string files)
    {
        foreach (var document in documents)
        foreach (var entry in document.Keys.Sections(list))
            if (entry.String("name") == name && entry.Section(key) is { } section)
                return document with { Keys = section };
        throw new KubernetesConnectionException($"{files} has no {key} named '{name}'.");
    }
}
