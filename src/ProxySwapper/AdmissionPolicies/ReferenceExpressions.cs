using ProxySwapper.Registry;

namespace ProxySwapper.AdmissionPolicies;

/// <summary>
/// Image references in CEL: the grammar of distribution/reference as one regular expression over normalised text, in which the registry is
/// always written out, and the normalisation.
/// </summary>
internal static class ReferenceExpressions
{
    private const string Label = "[A-Za-z0-9]+(?:-+[A-Za-z0-9]+)*";
    private const string Host = $@"(?:{Label}(?:\.{Label})*|\[[0-9A-Fa-f:]+\])(?::[0-9]+)?";
    private const string Component = "[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*";
    private const string Tag = "[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}";
    private const string Digest = "(?:sha256:[0-9a-f]{64}|sha384:[0-9a-f]{96}|sha512:[0-9a-f]{128})";

    /// <summary>A whole reference, normalised.</summary>
    private const string Pattern = $"^{Host}/{Component}(?:/{Component})*(?::{Tag})?(?:@{Digest})?$";

    /// <summary>The cost of checking one reference.</summary>
    public static long Cost { get; } = CelCost.OfPattern(Pattern) + CelCost.OfSubstring();

    private static string DockerHubAliases => string.Join(", ", RegistryName.DockerHubAliases.Select(host => $"'{host}'"));

    /// <summary>From the images to their normalised references; invalid references are left out.</summary>
    /// <param name="images">The images.</param>
    /// <param name="placeholders">Placeholders that are not images yet.</param>
    public static string Normalise(string images, IReadOnlyList<string> placeholders) =>
        $$"""
            {{images}}.filter(i, i.size() <= 1024 && !i.matches('^(?:sha256:)?[0-9a-f]{64}$'){{Except(placeholders)}})
              // With the digest split off.
              .map(i, {'image': i, 'name': i.split('@')[0], 'digest': i.contains('@') ? i.substring(i.indexOf('@')) : ''})
              // A first segment without a dot, a colon or an upper-case letter is not a registry but a path on Docker Hub.
              .map(r, {'image': r.image, 'digest': r.digest,
                'name': r.name.matches('^(?:[^/]*[.:A-Z][^/]*|localhost)/') ? r.name : 'docker.io/' + r.name})
              // Registry names are normalised: lower case, no default port, no Docker Hub aliases.
              .map(r, {'image': r.image, 'digest': r.digest,
                'host': r.name.substring(0, r.name.indexOf('/')), 'path': r.name.substring(r.name.indexOf('/'))})
              .map(r, {'image': r.image, 'digest': r.digest, 'path': r.path,
                'host': r.host.matches('[.:]') ? r.host.lowerAscii() : r.host})
              .map(r, {'image': r.image, 'digest': r.digest, 'path': r.path,
                'host': r.host.matches('^(?:localhost|.*[.:].*):443$') && !r.host.endsWith('::443')
                  ? r.host.substring(0, r.host.size() - 4) : r.host})
              .map(r, {'image': r.image, 'digest': r.digest, 'name':
                (r.host in [{{DockerHubAliases}}] ? '{{RegistryName.DockerHubText}}' : r.host) + r.path})
              .map(r, {'image': r.image, 'digest': r.digest, 'name': {{Official("r.name")}}})
              .map(r, {'image': r.image, 'text': r.name + (r.digest != '' ? r.digest : r.name.matches(':[^/]*$') ? '' : ':latest')})
              .filter(r, {{IsReference("r.text")}})
            """;

    private static string Except(IReadOnlyList<string> placeholders) =>
        placeholders.Count == 0 ? "" : $" && !(i in [{string.Join(", ", placeholders.Select(CelText.Quote))}])";

    /// <summary>True for a normalised text that is a valid reference.</summary>
    public static string IsReference(string text) =>
        $"""
            {text}.size() <= 1024
                && {text}.matches({CelText.Pattern(Pattern)})
                && {text}.substring({text}.indexOf('/') + 1).split('@')[0].split(':')[0].size() <= 255
            """;

    /// <summary>Official images get their namespace: <c>docker.io/nginx</c> is docker.io/library/nginx.</summary>
    public static string Official(string text) =>
        $"{text}.matches('^docker[.]io/[^/]*$') ? 'docker.io/library/' + {text}.substring(10) : {text}";

    /// <summary>The registry as part of a path, the port's colon as an underscore.</summary>
    public static string RegistryPath(string text) => $"{text}.substring(0, {text}.indexOf('/')).replace(':', '_')";

    /// <summary>The text after the registry.</summary>
    public static string Path(string text) => $"{text}.substring({text}.indexOf('/') + 1)";
}
