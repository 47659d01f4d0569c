using System.CommandLine;
using System.CommandLine.Parsing;

namespace ProxySwapper.Commands.Options;

/// <summary>Options and arguments that take one of a few words: another one is reported in one line that names the option.</summary>
internal static class AllowedValues
{
    /// <summary>Makes an option only take these values, which <c>--help</c> and completion show.</summary>
    public static void AcceptOnly(this Option option, params string[] values)
    {
        option.CompletionSources.Add(values);
        option.Validators.Add(result => Check(result, result.Tokens, option.Name, values));
    }

    /// <summary>Makes an argument only take these values, which <c>--help</c> and completion show.</summary>
    public static void AcceptOnly(this Argument argument, params string[] values)
    {
        argument.CompletionSources.Add(values);
        argument.Validators.Add(result => Check(result, result.Tokens, argument.Name, values));
    }

    private static void Check(SymbolResult result, IReadOnlyList<Token> tokens, string name, string[] values)
    {
        foreach (var token in tokens)
            if (!values.Contains(token.Value, StringComparer.Ordinal))
                result.AddError($"{name} must be one of {string.Join(", ", values)}, not '{token.Value}'");
    }
}
