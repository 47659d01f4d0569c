using System.Text;
using ProxySwapper.Admission;

namespace ProxySwapper.AdmissionPolicies;

/// <summary>The image fields of a Pod in CEL, from the same table as the webhook's.</summary>
internal static class PodImageExpressions
{
    /// <summary>The image of a place.</summary>
    public const string Written = "p.image";

    private static readonly PodImageField Ephemeral = PodImageFields.Of(PodImageKind.EphemeralContainer);

    /// <summary>From the request to the images that may be rewritten.</summary>
    /// <param name="atTarget">Conditions on <see cref="Written"/> of images that are already at a target.</param>
    public static IReadOnlyList<PolicyExpression> Variables(IReadOnlyCollection<string> atTarget) =>
        [
            new(
                "ephemeral",
                "This subresource only changes ephemeral containers, not metadata.",
                "request.?subResource.orValue('') == 'ephemeralcontainers'"
            ),
            new(
                "untouched",
                "An update never rewrites an existing image, which would restart a running container.",
                $"request.operation != 'UPDATE' ? [] :\n  {string.Join("\n  + ", PodImageFields.OfSpec.Select(Old))}"
            ),
            new(
                "places",
                "Every field of the Pod that names an image, in the order of the API.",
                $"""
            ((variables.ephemeral ? [] :
                {string.Join(
                "\n    + ",
                PodImageFields.OfSpec.Where(field => field != Ephemeral).OrderByDescending(field => field.IsVolume).Select(New)
            )})
              + {New(Ephemeral)})
              .filter(p, !(p.identity in variables.untouched))
            """
            ),
            new(
                "written",
                "Their images, without those that start with a target: all that changed, when this is evaluated again after its change.",
                $"variables.places{WithoutTargets(atTarget)}.map(p, {Written})"
            ),
            new("images", "Each image once.", "variables.written.transformList(i, image, variables.written.indexOf(image) == i, image)"),
        ];

    /// <summary>A key as a token of a JSON pointer (RFC 6901 §3).</summary>
    public static string Token(string key) => key.Replace("~", "~0", StringComparison.Ordinal).Replace("/", "~1", StringComparison.Ordinal);

    private static string WithoutTargets(IReadOnlyCollection<string> atTarget) =>
        atTarget.Count == 0 ? "" : $".filter(p, !({string.Join("\n    || ", atTarget)}))\n  ";

    private static string Old(PodImageField field) => $"oldObject.spec.?{field.List}.orValue([]).map(c, {Identity(field)})";

    private static string New(PodImageField field)
    {
        var (start, end) = (Encoding.UTF8.GetString(field.PointerStart), Encoding.UTF8.GetString(field.PointerEnd));
        return $$"""
            object.spec.?{{field.List}}.orValue([]).transformList(i, c, {{Image(field)}} != '', {
                    'path': '{{start}}' + string(i) + '{{end}}', 'name': string(c.name), 'image': string({{Image(field)}}),
                    'key': '/metadata/annotations/{{Token(field.AnnotationPrefix)}}', 'identity': {{Identity(field)}}})
            """;
    }

    /// <summary>Identifies an image across an update, wherever it is in its list.</summary>
    private static string Identity(PodImageField field) => $"'{field.List} ' + c.name + ' ' + {Image(field)}";

    private static string Image(PodImageField field) => field.IsVolume ? "c.?image.?reference.orValue('')" : "c.?image.orValue('')";
}
