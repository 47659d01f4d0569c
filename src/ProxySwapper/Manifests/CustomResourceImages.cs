using ProxySwapper.Admission;
using ProxySwapper.Configuration.Yaml;
using ProxySwapper.Registry;
using YamlDotNet.RepresentationModel;

namespace ProxySwapper.Manifests;

/// <summary>
/// Finds images outside of Pods in a custom resource, such as <c>spec.image</c> of a Prometheus or <c>spec.imageName</c> of a PostgreSQL
/// cluster: an operator turns them into Pods in its own way, which cannot be known here.
/// </summary>
internal static class CustomResourceImages
{
    private const int MaximumEach = 10;

    /// <summary>How the keys end below which Pods may be.</summary>
    private static readonly string[] PodHolders = ["spec", "specs", "template", "templates"];

    private static readonly HashSet<string> ImageKeys = new(StringComparer.OrdinalIgnoreCase)
    {
        "image",
        "images",
        "imageName",
        "imageRef",
        "imageReference",
        "imageRepository",
    };

    private static readonly string[] HelmSyntax = [".Values", ".Release", ".Chart", ".Files", "include ", "tpl ", "toYaml"];

    public static IEnumerable<CustomResourceImage> Find(YamlMappingNode manifest) => Below(manifest, "").Take(MaximumEach);

    private static IEnumerable<CustomResourceImage> Below(YamlNode node, string path) =>
        node switch
        {
            YamlSequenceNode list => list.SelectMany((item, index) => Below(item, $"{path}[{index}]")),
            YamlMappingNode mapping => mapping.Children.SelectMany(pair => At(mapping, pair.Key, pair.Value, path)),
            _ => [],
        };

    private static IEnumerable<CustomResourceImage> At(YamlMappingNode parent, YamlNode key, YamlNode value, string path)
    {
        var name = (key as YamlScalarNode)?.Value ?? "";
        // Annotations may say anything.
        if (path.Length == 0 && name == "metadata")
            return [];
        // These are read with the Pods.
        if (WorkloadReader.IsPod(parent) && PodImageFields.OfSpec.Any(field => field.List == name))
            return [];
        var here = path.Length == 0 ? name : $"{path}.{name}";
        var reason = value switch
        {
            _ when NamesImage(name, value) || IsRepositoryOfTag(parent, name, value) => "not in a Pod template",
            YamlScalarNode when PodImageFields.OfSpec.Any(field => field.List == name) && !YamlSection.IsNull(value) => "must be a list",
            // Anything else may be the name of a template, or an expression of the operator's own, as in a Workflow.
            YamlScalarNode when MayHoldPods(name) && IsUnrendered(value) => "must be a mapping",
            YamlSequenceNode list when MayHoldPods(name) && list.Any(IsUnrendered) => "must be a list of mappings",
            _ => null,
        };
        return reason is null ? Below(value, here) : [new CustomResourceImage(here, (int)value.Start.Line, reason)];
    }

    private static bool MayHoldPods(string key) => PodHolders.Any(ending => key.EndsWith(ending, StringComparison.OrdinalIgnoreCase));

    /// <summary>True for an expression of Helm that was not rendered: in quotes it is valid YAML.</summary>
    private static bool IsUnrendered(YamlNode node) =>
        node is YamlScalarNode { Value: { } text }
        && text.Contains("{{", StringComparison.Ordinal)
        && HelmSyntax.Any(word => text.Contains(word, StringComparison.Ordinal));

    /// <summary>
    /// Whether a value names an image: below a key such as <c>image</c> or <c>sidecarImage</c> any reference, also as an object with its
    /// parts; below another key with the word <c>image</c>, which may be a pull policy or a size, one with a registry, tag or digest, or an
    /// expression of Helm; below any other key, such as <c>container</c>, one with its registry and its tag or digest. The case of keys
    /// and their separators, as in <c>sidecar_image</c>, do not matter.
    /// </summary>
    private static bool NamesImage(string key, YamlNode value) =>
        IsImageKey(key) ? Names(value, _ => true)
        : key.Contains("image", StringComparison.OrdinalIgnoreCase) ? Names(value, text => HasParts(text) || MayBeRendered(key, text))
        : value is not YamlMappingNode && Names(value, IsFull);

    private static bool IsImageKey(string key) =>
        ImageKeys.Contains(key.Replace("_", "", StringComparison.Ordinal).Replace("-", "", StringComparison.Ordinal))
        || key.EndsWith("Image", StringComparison.Ordinal)
        || key.EndsWith("_image", StringComparison.OrdinalIgnoreCase)
        || key.EndsWith("-image", StringComparison.OrdinalIgnoreCase);

    /// <summary>Not <c>imagePullPolicy</c> and <c>imagePullSecrets</c>, which templates often fill.</summary>
    private static bool MayBeRendered(string key, string text) =>
        text.Contains("{{", StringComparison.Ordinal) && !key.Contains("pull", StringComparison.OrdinalIgnoreCase);

    private static bool Names(YamlNode value, Func<string, bool> mayBe) =>
        value switch
        {
            YamlScalarNode { Value: { Length: > 0 } text } => text is not ("true" or "false" or "null")
                && mayBe(text)
                && (IsUnrendered(value) || ImageReference.TryParse(WithoutTransport(text), out _)),
            YamlSequenceNode list => list.Any(item => Names(item, mayBe)),
            YamlMappingNode mapping => mapping.Children.Values.Any(child => Names(child, mayBe)),
            _ => false,
        };

    private static bool HasParts(string text) =>
        text.AsSpan().ContainsAny(':', '@') || text.IndexOf('/') is > 0 and var slash && RegistryName.IsRegistry(text.AsSpan(0, slash));

    private static bool IsFull(string text) =>
        text.IndexOf('/') is > 0 and var slash
        && RegistryName.IsRegistry(text.AsSpan(0, slash))
        && ImageReference.TryParse(text, out _)
        && text.AsSpan(slash).ContainsAny(':', '@');

    /// <summary>As in the values of a chart, where <c>registry</c> may hold the repository.</summary>
    private static bool IsRepositoryOfTag(YamlMappingNode parent, string key, YamlNode value) =>
        (IsKey(key, "repository") || IsKey(key, "registry") && !Has(parent, "repository"))
        && Names(value, _ => true)
        && (Has(parent, "tag") || Has(parent, "digest"));

    private static bool Has(YamlMappingNode parent, string name) =>
        parent.Children.Keys.Any(key => key is YamlScalarNode { Value: { } text } && IsKey(text, name));

    private static bool IsKey(string key, string name) => key.Equals(name, StringComparison.OrdinalIgnoreCase);

    private static string WithoutTransport(string text) =>
        text.StartsWith("docker://", StringComparison.Ordinal) ? text["docker://".Length..] : text;
}

/// <summary>An image outside of Pods, or what may have Pods but cannot be read.</summary>
/// <param name="Path">Where it is, such as <c>spec.image</c>.</param>
/// <param name="Line">The line in its file.</param>
/// <param name="Reason">Why it is not read.</param>
internal readonly record struct CustomResourceImage(string Path, int Line, string Reason);
