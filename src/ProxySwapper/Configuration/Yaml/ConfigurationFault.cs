using ProxySwapper.Registry;

namespace ProxySwapper.Configuration.Yaml;

/// <summary>One mistake in a file, described so that it can be fixed without reading anything else.</summary>
/// <param name="File">The file's path as given.</param>
/// <param name="Line">The line, from 1; 0 when the fault is not at a line (a variable of the environment).</param>
/// <param name="Column">The column, from 1.</param>
/// <param name="Key">The key's path, for instance <c>rules[2].target</c>; empty for the document.</param>
/// <param name="Message">What is wrong and what is allowed.</param>
internal sealed record ConfigurationFault(string File, int Line, int Column, string Key, string Message)
{
    /// <summary>The line to show. It may repeat an address from the file, but not its password.</summary>
    public override string ToString()
    {
        var place = Line == 0 ? File : $"{File}:{Line}:{Column}";
        return UserInfo.Hide(Key.Length == 0 ? $"{place}: {Message}" : $"{place}: {Key}: {Message}");
    }
}

/// <summary>A file is not valid; carries all faults. Commands print them and exit with 2.</summary>
/// <param name="faults">The faults, in any order.</param>
internal sealed class ConfigurationException(IEnumerable<ConfigurationFault> faults) : Exception
{
    /// <summary>The faults of each file, from its first line to its last.</summary>
    public IReadOnlyList<ConfigurationFault> Faults { get; } =
    [.. faults.GroupBy(fault => fault.File).SelectMany(file => file.OrderBy(fault => (fault.Line, fault.Column)))];

    /// <inheritdoc />
    public override string Message => string.Join(Environment.NewLine, Faults);
}
