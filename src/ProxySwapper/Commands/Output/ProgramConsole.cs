using Spectre.Console;

namespace ProxySwapper.Commands.Output;

/// <summary>Human-readable standard output: colours and the terminal's width where there is one, plain unbroken lines in a pipe.</summary>
internal static class ProgramConsole
{
    private const int WidthWithoutWrapping = 10_000;

    public static bool IsTerminal => !Console.IsOutputRedirected && Environment.GetEnvironmentVariable("TERM") is not "dumb";

    public static IAnsiConsole Create()
    {
        var console = AnsiConsole.Create(
            new AnsiConsoleSettings
            {
                Ansi = IsTerminal ? AnsiSupport.Detect : AnsiSupport.No,
                ColorSystem = IsTerminal ? ColorSystemSupport.Detect : ColorSystemSupport.NoColors,
                Interactive = IsTerminal ? InteractionSupport.Detect : InteractionSupport.No,
            }
        );
        if (!IsTerminal)
            console.Profile.Width = WidthWithoutWrapping;
        return console;
    }
}
