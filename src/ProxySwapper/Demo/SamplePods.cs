using System.Reflection;
using System.Text.Json.Nodes;
using ProxySwapper.Manifests;
using YamlDotNet.RepresentationModel;

namespace ProxySwapper.Demo;

/// <summary>The Pods of <c>manifests/samples</c>, embedded in the program.</summary>
internal static class SamplePods
{
    public const string Prefix = "samples/";

    public static IEnumerable<SamplePod> Read()
    {
        var assembly = Assembly.GetExecutingAssembly();
        foreach (
            var name in assembly
                .GetManifestResourceNames()
                .Where(name => name.StartsWith(Prefix, StringComparison.Ordinal))
                .Order(StringComparer.Ordinal)
        )
        {
            using var reader = new StreamReader(assembly.GetManifestResourceStream(name)!);
            var text = reader.ReadToEnd();
            var yaml = new YamlStream();
            yaml.Load(new StringReader(text));
            var about = text.Split('\n')[0].TrimStart('#', ' ');
            yield return new SamplePod(name[Prefix.Length..], about, YamlJson.Convert(yaml.Documents[0].RootNode)!.AsObject());
        }
    }
}

/// <summary>One sample: its file, what it shows, and the Pod in the form an API server sends.</summary>
internal sealed record SamplePod(string File, string About, JsonObject Pod);
