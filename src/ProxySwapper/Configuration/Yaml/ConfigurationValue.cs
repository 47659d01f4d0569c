using System.Text.Json;

namespace ProxySwapper.Configuration.Yaml;

/// <summary>How enum members are written in configuration files, and in messages about them.</summary>
internal static class ConfigurationValue
{
    /// <summary>The camelCase name of a member, such as <c>delayed</c>.</summary>
    public static string Of<T>(T member)
        where T : struct, Enum => Of(Enum.GetName(member)!);

    /// <summary>The camelCase form of a member's name.</summary>
    public static string Of(string memberName) => JsonNamingPolicy.CamelCase.ConvertName(memberName);
}
