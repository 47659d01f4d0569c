using ProxySwapper.Configuration.Yaml;
using ProxySwapper.Patterns;

namespace ProxySwapper.Configuration;

/// <summary>Reads <c>admissionPolicy</c>.</summary>
internal static class AdmissionPolicySectionReader
{
    private const int MaximumNameLength = 253;

    public static AdmissionPolicyOptions Read(YamlSection top)
    {
        if (top.Section("admissionPolicy") is not { } section)
            return new AdmissionPolicyOptions();
        var options = new AdmissionPolicyOptions
        {
            Name = section.String("name"),
            MatchConditions = [.. section.Sections("matchConditions").Select(ReadCondition)],
        };
        if (options.Name is { } name && !IsName(name))
            section.Fault(
                "name",
                "must be an object's name: lower-case letters, digits, '-' and '.', the first and last a letter or digit"
            );
        section.RejectUnknownKeys();
        return options;
    }

    private static MatchConditionOptions ReadCondition(YamlSection section)
    {
        var condition = new MatchConditionOptions(section.String("name") ?? "", section.String("expression") ?? "");
        if (!LabelSyntax.IsKey(condition.Name))
            section.Fault(
                "name",
                "must be a condition's name: up to 63 letters, digits, '-', '_', '.', with an optional DNS prefix and '/'"
            );
        if (condition.Expression.Length == 0)
            section.Fault("expression", "is missing: a condition in CEL, such as request.userInfo.username != 'system:admin'");
        section.RejectUnknownKeys();
        return condition;
    }

    private static bool IsName(string text) =>
        text.Length is > 0 and <= MaximumNameLength
        && text.All(character => char.IsAsciiLetterLower(character) || char.IsAsciiDigit(character) || character is '-' or '.')
        && char.IsAsciiLetterOrDigit(text[0])
        && char.IsAsciiLetterOrDigit(text[^1]);
}
