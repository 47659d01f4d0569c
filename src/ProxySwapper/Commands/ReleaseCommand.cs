using System.CommandLine;
using System.Net;
using Microsoft.Extensions.Logging.Abstractions;
using ProxySwapper.Kubernetes;
using ProxySwapper.Population.Gates;

namespace ProxySwapper.Commands;

/// <summary><c>proxyswapper release</c>: lets every Pod go that waits behind our scheduling gate.</summary>
internal static class ReleaseCommand
{
    public static Command Create()
    {
        var @namespace = new Option<string?>("--namespace", "-n") { Description = "Only Pods of this namespace. Default all." };
        var keep = new Option<bool>("--keep-images")
        {
            Description = "Leaves the images as they are. Default: the original images are put back, since the others may not be there.",
        };
        var kubernetes = new KubernetesOptions();
        var command = new Command("release", "Lets every Pod go that waits behind the scheduling gate proxyswapper.io/image.")
        {
            @namespace,
            keep,
        };
        kubernetes.AddTo(command);
        command.SetAction(
            (arguments, cancellationToken) =>
                kubernetes.RunAsync(
                    arguments,
                    client => RunAsync(client, arguments.GetValue(@namespace), arguments.GetValue(keep), cancellationToken)
                )
        );
        return command;
    }

    /// <summary>Lets Pods go and tells of each.</summary>
    /// <returns>The exit code: 1 when one of them still waits.</returns>
    public static async Task<int> RunAsync(
        KubernetesClient client,
        string? @namespace,
        bool keepsImages,
        CancellationToken cancellationToken
    )
    {
        var (released, failed) = (0, 0);
        var lifter = new GateLifter(client, new GateReleaser(NullLogger<GateReleaser>.Instance), TimeProvider.System);
        try
        {
            await lifter.ReleaseAllAsync(@namespace, keepsImages, Tell, cancellationToken);
        }
        catch (KubernetesException problem) when (problem.Status == HttpStatusCode.Forbidden)
        {
            await Console.Error.WriteLineAsync($"Gated Pods are not released: {problem.Message}");
            return 1;
        }
        if (failed > 0)
            await Console.Error.WriteLineAsync($"{released} gated Pods are released, {failed} are not.");
        else if (released > 0)
            Console.WriteLine($"{released} gated Pods are released.");
        return failed == 0 ? 0 : 1;

        void Tell(GatedPod pod, GateResult? result, string? error)
        {
            if (error is null)
                released += result is GateResult.Gone ? 0 : 1;
            else
                failed++;
            if (error is not null)
                Console.Error.WriteLine($"{pod}: {error}");
            else
                Console.WriteLine($"{pod}: {Words(result!.Value)}");
        }
    }

    private static string Words(GateResult result) =>
        result switch
        {
            GateResult.Restored => "released with its original images",
            GateResult.Gone => "deleted meanwhile",
            GateResult.LiftedByOthers => "released meanwhile",
            _ => "released",
        };
}
