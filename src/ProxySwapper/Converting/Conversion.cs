using System.Text.Json.Nodes;
using ProxySwapper.Configuration;
using ProxySwapper.Configuration.Yaml;
using ProxySwapper.Mirroring;

namespace ProxySwapper.Converting;

/// <summary>What another tool's file says in our words.</summary>
/// <param name="From">What the file was.</param>
/// <param name="IsMirrorFile">True for a mirror file, false for a configuration.</param>
/// <param name="Content">The result.</param>
/// <param name="LeftOut">What it does not say.</param>
internal sealed record Conversion(ForeignFormat From, bool IsMirrorFile, JsonObject Content, IReadOnlyList<ConfigurationFault> LeftOut)
{
    /// <summary>The result as YAML, with what it does not say as comments before it.</summary>
    public string ToYaml()
    {
        using var output = new StringWriter { NewLine = "\n" };
        output.Write($"# Converted from {Name(From)} by proxyswapper convert.\n");
        if (LeftOut.Count > 0)
            output.Write("# Not converted:\n");
        foreach (var fault in LeftOut)
            output.Write($"#   line {fault.Line}: {(fault.Key.Length > 0 ? $"{fault.Key}: " : "")}{fault.Message}\n");
        YamlWriter.Write(output, [Content]);
        return output.ToString();
    }

    /// <summary>What is wrong with the result: names that the file has, and that we do not take.</summary>
    public IReadOnlyList<ConfigurationFault> FindMistakes()
    {
        const string Result = "(result)";
        try
        {
            if (IsMirrorFile)
                MirrorFileReader.ReadText(Result, ToYaml());
            else
                ConfigurationReader.ReadText(Result, ToYaml(), new Dictionary<string, string>());
            return [];
        }
        catch (ConfigurationException exception)
        {
            return exception.Faults;
        }
    }

    /// <summary>A format as people call it.</summary>
    public static string Name(ForeignFormat format) =>
        format switch
        {
            ForeignFormat.K8sImageSwapper => "k8s-image-swapper",
            ForeignFormat.KubeImageKeeper => "kube-image-keeper",
            ForeignFormat.Regsync => "regsync",
            _ => "skopeo-sync",
        };
}
