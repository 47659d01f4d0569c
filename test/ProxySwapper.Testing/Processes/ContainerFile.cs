using System.Text.RegularExpressions;

namespace ProxySwapper.Testing.Processes;

/// <summary>The Dockerfile as a list of instructions, with continued lines joined.</summary>
internal static class ContainerFile
{
    public static IReadOnlyList<ContainerInstruction> Read()
    {
        var lines = File.ReadAllLines(SourceTree.PathOf("Dockerfile")).Where(line => line.Length > 0 && !line.StartsWith('#'));
        var text = Regex.Replace(string.Join('\n', lines), @"\s*\\\n\s*", " ");
        return
        [
            .. text.Split('\n')
                .Select(line => new ContainerInstruction(
                    line[..line.IndexOf(' ', StringComparison.Ordinal)],
                    line[(line.IndexOf(' ', StringComparison.Ordinal) + 1)..].Trim()
                )),
        ];
    }

    /// <summary>The variables that the image sets.</summary>
    public static Dictionary<string, string> Environment() =>
        Stage(1)
            .Where(instruction => instruction.Name == "ENV")
            .SelectMany(instruction => instruction.Arguments.Split(' '))
            .ToDictionary(variable => variable.Split('=')[0], variable => variable.Split('=')[1]);

    /// <summary>The instructions of one stage, without its FROM.</summary>
    public static IEnumerable<ContainerInstruction> Stage(int number)
    {
        var stage = -1;
        foreach (var instruction in Read())
        {
            if (instruction.Name == "FROM")
                stage++;
            else if (stage == number)
                yield return instruction;
        }
    }
}

/// <summary>An instruction of a Dockerfile, such as <c>RUN</c>, with its arguments.</summary>
internal sealed record ContainerInstruction(string Name, string Arguments);
