using System.CommandLine;
using ProxySwapper.Commands.Options;

namespace ProxySwapper.Commands;

/// <summary>
/// <c>proxyswapper completion</c>: scripts that make a shell query the program through the <c>[suggest]</c> directive of its command line.
/// </summary>
internal static class CompletionCommand
{
    private const string Bash = """
        # bash completion for proxyswapper: source <(proxyswapper completion bash)
        _proxyswapper() {
          local IFS=$'\n'
          COMPREPLY=($(compgen -W "$("${COMP_WORDS[0]}" "[suggest:$COMP_POINT]" "$COMP_LINE" 2>/dev/null)" -- "${COMP_WORDS[COMP_CWORD]}"))
        }
        complete -o default -F _proxyswapper proxyswapper kubectl-proxyswapper
        """;

    private const string Zsh = """
        #compdef proxyswapper kubectl-proxyswapper
        # zsh completion for proxyswapper: source <(proxyswapper completion zsh)
        _proxyswapper() {
          local line="${(j: :)words[1,CURRENT]}"
          local -a found
          found=(${(f)"$("${words[1]}" "[suggest:${#line}]" "$line" 2>/dev/null)"})
          (( $#found )) && compadd -a found || _files
        }
        if [[ $funcstack[1] == _proxyswapper ]]; then
          _proxyswapper "$@"
        else
          compdef _proxyswapper proxyswapper kubectl-proxyswapper
        fi
        """;

    private const string Fish = """
        # fish completion for proxyswapper: proxyswapper completion fish | source
        function __proxyswapper_complete
          set -l line (commandline -cp)
          set -l command (commandline -opc)[1]
          set -l word (commandline -ct)
          set -l found ($command "[suggest:"(string length -- "$line")"]" "$line" 2>/dev/null)
          set found (string match --regex -- '^'(string escape --style=regex -- "$word")'.*' $found)
          if set -q found[1]
            printf '%s\n' $found
          else
            __fish_complete_path "$word"
          end
        end
        complete -c proxyswapper -f -a "(__proxyswapper_complete)"
        complete -c kubectl-proxyswapper -f -a "(__proxyswapper_complete)"
        """;

    public static Command Create()
    {
        var shell = new Argument<string>("SHELL") { Description = "The shell: bash, zsh or fish." };
        shell.AcceptOnly("bash", "zsh", "fish");
        var command = new ExampleCommand(
            "completion",
            "Prints a shell script that completes commands and options.",
            "source <(proxyswapper completion bash)",
            "proxyswapper completion fish > ~/.config/fish/completions/proxyswapper.fish"
        )
        {
            shell,
        };
        command.SetAction(arguments =>
        {
            Console.WriteLine(
                arguments.GetValue(shell) switch
                {
                    "bash" => Bash,
                    "zsh" => Zsh,
                    _ => Fish,
                }
            );
            return 0;
        });
        return command;
    }
}
