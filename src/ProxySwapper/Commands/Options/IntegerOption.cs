using System.CommandLine;
using System.Globalization;

namespace ProxySwapper.Commands.Options;

/// <summary>Creates options that take an integer within limits.</summary>
internal static class IntegerOption
{
    public static Option<int> Create(string name, string description, int minimum, int maximum, int defaultValue) =>
        new(name)
        {
            Description = description,
            HelpName = "number",
            DefaultValueFactory = _ => defaultValue,
            CustomParser = result =>
            {
                var isNumber = int.TryParse(result.Tokens[0].Value, NumberStyles.None, CultureInfo.InvariantCulture, out var value);
                if (!isNumber || value < minimum || value > maximum)
                    result.AddError($"{name} must be an integer from {minimum} to {maximum}, not '{result.Tokens[0].Value}'");
                return value;
            },
        };
}
