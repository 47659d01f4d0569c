using ProxySwapper.Configuration.Yaml;
using ProxySwapper.Patterns;

namespace ProxySwapper.Configuration;

/// <summary>Reads <c>admissionPolicy</c>.</summary>
internal static class AdmissionPolicySectionReader
{
    public static AdmissionPolicyOptions Read(YamlSection top)
    {
        if (top.Section("admissionPolicy") is not { } section)
            return new AdmissionPolicyOptions();
        var options = new AdmissionPolicyOptions
        {
            Name = section.String("name"),
            MatchConditions = [.. section.Sections("matchConditions").Select(ReadCondition)],
        };
        if (options.Name is { } name && !ObjectName.IsValid(name))
            section.Fault("name", $"must be an object's name: {ObjectName.Rule}");
        section.RejectUnknownKeys();
        return options;
    }

    private static MatchConditionOptions ReadCondition(YamlSection section)
    {
        var condition = new MatchConditionOptions(section.String("name") ?? "", section.String("expression") ?? "");
        if (!LabelSyntax.IsKey(condition.Name))
            section.Fault("name", "must be a condition name: up to 63 letters, digits, '-', '_', '.', with an optional DNS prefix and '/'");
        if (condition.Expression.Length == 0)
            section.Fault("expression", "is required: a CEL expression such as request.userInfo.username != 'system:admin'");
        section.RejectUnknownKeys();
        return condition;
    }
}
