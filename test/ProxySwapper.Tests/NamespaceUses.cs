using System.Text.RegularExpressions;

namespace ProxySwapper.Tests;

/// <summary>
/// Which namespaces a file uses: by its usings, by names qualified with a namespace, and, without either, by names of the types in the
/// namespaces around its own, which C# finds there by itself.
/// </summary>
internal sealed partial class NamespaceUses(IReadOnlyCollection<SourceFile> files, IReadOnlyCollection<string> namespaces)
{
    /// <summary>The names that a namespace declares: its types, and, with a dot in front, its extension methods.</summary>
    private readonly ILookup<string, string> _names = files
        .Where(file => file.Namespace is not null)
        .SelectMany(file => Declared(file.Code).Select(name => (Namespace: file.Namespace!, Name: name)))
        .Distinct()
        .ToLookup(pair => pair.Namespace, pair => pair.Name);

    /// <summary>Each used namespace once, without the file's own.</summary>
    public IReadOnlyList<string> Of(SourceFile file)
    {
        var scopes = ScopesOf(file.Namespace!).ToList();
        return
        [
            .. file
                .Usings.Select(FindUsing)
                .Concat(QualifiedName.Matches(file.Code).Select(match => FindQualified(match.Value, scopes)))
                .Concat(Outer(file, scopes))
                .OfType<string>()
                .Where(used => used != file.Namespace)
                .Distinct()
                .Order(StringComparer.Ordinal),
        ];
    }

    /// <summary>The name of a using is written in full; behind <c>static</c>, it ends with a type.</summary>
    private string? FindUsing(string name) =>
        namespaces.Where(one => $"{name}.".StartsWith($"{one}.", StringComparison.Ordinal)).MaxBy(one => one.Length);

    /// <summary>
    /// A qualified name begins with a namespace's name, or what of it follows the innermost scope that has it, and continues with a type.
    /// </summary>
    private string? FindQualified(string name, IReadOnlyList<string> scopes)
    {
        var parts = name.Split('.');
        foreach (var scope in scopes.Append(""))
            for (var count = parts.Length - 1; count > 0; count--)
                if (
                    string.Join('.', [.. scope.Length > 0 ? [scope] : Array.Empty<string>(), .. parts[..count]]) is var full
                    && _names[full].Contains(parts[count])
                )
                    return full;
        return null;
    }

    private static IEnumerable<string> Declared(string code) =>
        TypeDeclaration
            .Matches(code)
            .Select(match => match.Groups[1].Value)
            .Concat(ExtensionDeclaration.Matches(code).Select(match => $".{match.Groups[1].Value}"));

    /// <summary>The namespaces around the file of which it names a type or calls an extension method.</summary>
    private IEnumerable<string?> Outer(SourceFile file, IReadOnlyList<string> scopes) =>
        SimpleName
            .Matches(file.Code)
            .Concat(Call.Matches(file.Code))
            .Select(match => match.Value)
            .Distinct()
            .Select(name => scopes.FirstOrDefault(scope => _names[scope].Contains(name)));

    /// <summary><c>A.B.C</c>, <c>A.B</c>, <c>A</c>.</summary>
    private static IEnumerable<string> ScopesOf(string name)
    {
        for (var end = name.Length; end > 0; end = name.LastIndexOf('.', end - 1))
            yield return name[..end];
    }

    /// <summary>Types that another file can see: all but private ones.</summary>
    [GeneratedRegex(@"(?<!\bprivate [a-z ]*)\b(?:class|struct|interface|enum|record(?: struct)?|delegate [^(;]+?) ([A-Z]\w*)")]
    private static partial Regex TypeDeclaration { get; }

    [GeneratedRegex(@"\b([A-Z]\w*)(?:<[^(;]*>)?\(\s*this ")]
    private static partial Regex ExtensionDeclaration { get; }

    [GeneratedRegex(@"(?<![\w.])(?:[A-Z]\w*\.)+[A-Z]\w*")]
    private static partial Regex QualifiedName { get; }

    [GeneratedRegex(@"(?<![\w.])[A-Z]\w*")]
    private static partial Regex SimpleName { get; }

    [GeneratedRegex(@"\.[A-Z]\w*(?=\(|<)")]
    private static partial Regex Call { get; }
}
