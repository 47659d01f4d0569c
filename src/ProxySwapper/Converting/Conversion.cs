using System.Text.Json.Nodes;
using ProxySwapper.Configuration;
using ProxySwapper.Configuration.Yaml;
using ProxySwapper.Mirroring;
using ProxySwapper.Registry;

namespace ProxySwapper.Converting;

/// <summary>The result of converting another tool's file.</summary>
/// <param name="From">The format of the file.</param>
/// <param name="IsMirrorFile">True for a mirror file, false for a configuration.</param>
/// <param name="Content">The resulting file.</param>
/// <param name="LeftOut">The settings that were not converted, with the reason.</param>
internal sealed record Conversion(ForeignFormat From, bool IsMirrorFile, JsonObject Content, IReadOnlyList<ConfigurationFault> LeftOut)
{
    /// <summary>The result as YAML, preceded by comments about what was not converted.</summary>
    public string ToYaml()
    {
        using var output = new StringWriter { NewLine = "\n" };
        output.Write($"# Converted from {Name(From)} by proxyswapper convert.\n");
        if (LeftOut.Count > 0)
            output.Write("# Not converted:\n");
        foreach (var fault in LeftOut)
            output.Write($"#   line {fault.Line}: {(fault.Key.Length > 0 ? $"{fault.Key}: " : "")}{UserInfo.Hide(fault.Message)}\n");
        YamlWriter.Write(output, [Content]);
        return output.ToString();
    }

    /// <summary>The faults of the result, such as names in the file that we do not accept.</summary>
    public IReadOnlyList<ConfigurationFault> FindMistakes()
    {
        const string Result = "(result)";
        try
        {
            if (IsMirrorFile)
                MirrorFileReader.ReadText(Result, ToYaml());
            else
                ConfigurationReader.ReadText(Result, ToYaml(), EnvironmentVariables.None);
            return [];
        }
        catch (ConfigurationException exception)
        {
            return exception.Faults;
        }
    }

    /// <summary>The name of a format on the command line.</summary>
    public static string Name(ForeignFormat format) =>
        format switch
        {
            ForeignFormat.K8sImageSwapper => "k8s-image-swapper",
            ForeignFormat.KubeImageKeeper => "kube-image-keeper",
            ForeignFormat.Regsync => "regsync",
            _ => "skopeo-sync",
        };
}
