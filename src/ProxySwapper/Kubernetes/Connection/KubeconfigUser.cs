using System.Security.Cryptography;
using System.Text.Json.Nodes;
using ProxySwapper.Configuration.Yaml;
using ProxySwapper.Registry.Transport;

namespace ProxySwapper.Kubernetes.Connection;

/// <summary>A user of a kubeconfig: the credential, and whom it impersonates. Faults are reported with their line.</summary>
internal sealed class KubeconfigUser(KubeconfigSection user, TimeProvider time)
{
    private const string ExecGroup = "client.authentication.k8s.io/";

    /// <param name="cluster">The section of the cluster, for plugins that want to know it.</param>
    /// <returns>Null when there are faults.</returns>
    public IKubernetesCredentialSource? Credentials(YamlSection cluster)
    {
        if (user.Keys.Section("exec") is { } exec)
            return Plugin(user with { Keys = exec }, cluster) is { } plugin ? new ExecCredentialSource(plugin, time) : null;
        if (user.Keys.Has("auth-provider"))
            user.Keys.Fault("auth-provider", "is not supported: Kubernetes removed it in 1.26; use an exec plugin");
        return new FileCredentialSource(time)
        {
            Token = HeaderOf(user.Keys.String("token"), "token"),
            TokenFile = user.Path("tokenFile"),
            Username = user.Keys.String("username"),
            Password = user.Keys.String("password"),
            ClientCertificate = Certificate(),
            ClientKey = user.Pem("client-key"),
        };
    }

    /// <summary>The impersonation headers.</summary>
    public IReadOnlyList<KeyValuePair<string, string>> Impersonation()
    {
        var headers = new List<KeyValuePair<string, string>>();
        Add("Impersonate-User", "as", user.Keys.String("as"));
        Add("Impersonate-Uid", "as-uid", user.Keys.String("as-uid"));
        Add("Impersonate-Group", "as-groups", Single(user.Keys, "as-groups"));
        if (user.Keys.Section("as-user-extra") is { } extra)
            foreach (var key in extra.Keys)
                Add($"Impersonate-Extra-{Uri.EscapeDataString(key)}", "as-user-extra", Single(extra, key));
        return headers;

        void Add(string header, string key, string? value)
        {
            if (HeaderOf(value, key) is { Length: > 0 } text)
                headers.Add(new(header, text));
        }
    }

    /// <summary>
    /// The API server reads one value per header line, and .NET joins the values of a header in one line: several would be one wrong name.
    /// </summary>
    private static string? Single(YamlSection section, string key)
    {
        var values = section.Strings(key);
        if (values.Count > 1)
            section.Fault(key, $"has {values.Count} values; only one is supported");
        return values is [var first, ..] ? first : null;
    }

    /// <summary>A value that is sent in a header.</summary>
    private string? HeaderOf(string? value, string key)
    {
        // One that is blank would not arrive: the request would be made in one's own name.
        var isBlank = value is { Length: > 0 } && string.IsNullOrWhiteSpace(value);
        if (value is not null && (isBlank || !HeaderText.IsValid(value)))
            user.Keys.Fault(key, $"must be {HeaderText.Rule}");
        return value;
    }

    private PemSource? Certificate()
    {
        var key = user.Pem("client-key");
        // With its key in a file, which may change, it is parsed when both are read.
        var isWhole = user.Keys.Has("client-key-data") ? key is not null : !user.Keys.Has("client-key");
        return user.Pem("client-certificate", isWhole ? text => Validate(text, key?.Read() ?? text) : null);

        static string? Validate(string certificate, string key)
        {
            try
            {
                ClientCertificateParser.Parse(certificate, key).Dispose();
                return null;
            }
            catch (CryptographicException)
            {
                return $"the client certificate is not valid: {ClientCertificateParser.Rule}";
            }
        }
    }

    private static ExecPlugin? Plugin(KubeconfigSection exec, YamlSection cluster)
    {
        var version = exec.Keys.String("apiVersion") ?? "";
        if (version is not (ExecGroup + "v1" or ExecGroup + "v1beta1"))
            exec.Keys.Fault("apiVersion", $"must be {ExecGroup}v1 or {ExecGroup}v1beta1");
        if (exec.Keys.String("interactiveMode") == "Always")
            exec.Keys.Fault("interactiveMode", "Always is not supported: the plugin must not require a terminal");
        if (exec.Required("command", "the name or path of the credential plugin") is not { } command)
            return null;
        if (Argument(command) is { } fault)
        {
            exec.Keys.Fault("command", fault);
            return null;
        }
        var isPath =
            command.Contains('/', StringComparison.Ordinal)
            || command.Contains(System.IO.Path.DirectorySeparatorChar, StringComparison.Ordinal);
        return new ExecPlugin(
            version,
            isPath ? exec.Resolve(command) : command,
            exec.Keys.Strings("args", Argument),
            [.. exec.Keys.Sections("env").Select(Variable)]
        )
        {
            InstallHint = exec.Keys.String("installHint"),
            Cluster = exec.Keys.Boolean("provideClusterInfo") == true ? ClusterInfo(cluster) : null,
        };
    }

    private static string? Argument(string text) =>
        text.Contains('\0', StringComparison.Ordinal) ? "must not contain a NUL, which would end it" : null;

    private static KeyValuePair<string, string> Variable(YamlSection variable)
    {
        var (name, value) = (variable.String("name") ?? "", variable.String("value") ?? "");
        if (name.Length == 0 || name.AsSpan().ContainsAny('=', '\0'))
            variable.Fault("name", "must be the name of a variable, without '='");
        if (Argument(value) is { } fault)
            variable.Fault("value", fault);
        return KeyValuePair.Create(name, value);
    }

    private static JsonObject ClusterInfo(YamlSection cluster)
    {
        var info = new JsonObject { ["server"] = cluster.String("server") };
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
}
