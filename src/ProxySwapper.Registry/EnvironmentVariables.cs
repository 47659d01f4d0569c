namespace ProxySwapper.Registry;

/// <summary>
/// The environment variables that credentials, connections and settings are read from: those of the process, or others in their place.
/// Immutable. The operating system decides whether the case of names matters.
/// </summary>
public sealed class EnvironmentVariables
{
    private static readonly StringComparer Comparer = OperatingSystem.IsWindows()
        ? StringComparer.OrdinalIgnoreCase
        : StringComparer.Ordinal;

    private readonly Dictionary<string, string> _values;

    /// <param name="values">The variables by name, each name once.</param>
    public EnvironmentVariables(IEnumerable<KeyValuePair<string, string>> values) => _values = new(values, Comparer);

    /// <summary>No variable is set.</summary>
    public static EnvironmentVariables None { get; } = new([]);

    /// <summary>All variables that are set.</summary>
    public IReadOnlyDictionary<string, string> Values => _values;

    /// <summary>The value of a variable; null if it is not set.</summary>
    public string? this[string name] => _values.GetValueOrDefault(name);

    /// <summary>The variables of this process as they are now.</summary>
    public static EnvironmentVariables OfProcess() =>
        new(
            Environment
                .GetEnvironmentVariables()
                .Cast<System.Collections.DictionaryEntry>()
                .Select(entry => KeyValuePair.Create((string)entry.Key, (string?)entry.Value ?? ""))
        );
}
