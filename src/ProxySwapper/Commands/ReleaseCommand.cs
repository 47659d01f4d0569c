using System.CommandLine;
using System.Net;
using Microsoft.Extensions.Logging.Abstractions;
using ProxySwapper.Commands.Options;
using ProxySwapper.Kubernetes;
using ProxySwapper.Population.Gates;
using ProxySwapper.Registry;

namespace ProxySwapper.Commands;

/// <summary><c>proxyswapper release</c>: releases every Pod that waits behind our scheduling gate.</summary>
internal static class ReleaseCommand
{
    public static Command Create()
    {
        var @namespace = new Option<string?>("--namespace", "-n") { Description = "Only Pods of this namespace. Default: all." };
        var keep = new Option<bool>("--keep-images")
        {
            Description = "Keeps the rewritten images. By default the original ones are restored, since the others may be missing.",
        };
        var kubernetes = new KubernetesOptions();
        var command = new ExampleCommand(
            "release",
            "Releases every Pod that waits behind the scheduling gate proxyswapper.io/image.",
            "proxyswapper release",
            "proxyswapper release --namespace team --keep-images"
        )
        {
            @namespace,
            keep,
        };
        kubernetes.AddTo(command);
        command.SetAction(
            (arguments, cancellationToken) =>
                kubernetes.RunAsync(
                    arguments,
                    client =>
                        RunAsync(client, arguments.GetValue(@namespace), arguments.GetValue(keep), "No gated Pods.", cancellationToken)
                )
        );
        return command;
    }

    /// <summary>Releases Pods and prints a line for each.</summary>
    /// <param name="client">Of the cluster.</param>
    /// <param name="namespace">The namespace of the Pods, or null for all.</param>
    /// <param name="keepsImages">Whether rewritten images stay.</param>
    /// <param name="whenNone">Printed if no Pod is gated; null for nothing.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <returns>The exit code: 1 when one of them still waits.</returns>
    public static async Task<int> RunAsync(
        KubernetesClient client,
        string? @namespace,
        bool keepsImages,
        string? whenNone,
        CancellationToken cancellationToken
    )
    {
        var (released, failed, found) = (0, 0, false);
        var lifter = new GateLifter(client, new GateReleaser(NullLogger<GateReleaser>.Instance), TimeProvider.System);
        try
        {
            await lifter.ReleaseAllAsync(@namespace, keepsImages, Report, cancellationToken);
        }
        catch (KubernetesException problem) when (problem.Status == HttpStatusCode.Forbidden)
        {
            await Console.Error.WriteLineAsync($"cannot release gated Pods: {problem.Message}");
            return 1;
        }
        if (failed > 0)
            await Console.Error.WriteLineAsync($"Released {CountFormat.Format(released, "gated Pod")}; {failed} failed.");
        else if (released > 0)
            Console.WriteLine($"Released {CountFormat.Format(released, "gated Pod")}.");
        else if (!found && whenNone is not null)
            Console.WriteLine(whenNone);
        return failed == 0 ? 0 : 1;

        void Report(GatedPod pod, GateResult? result, string? error)
        {
            found = true;
            if (error is null)
                released += result is GateResult.Gone ? 0 : 1;
            else
                failed++;
            if (error is not null)
                Console.Error.WriteLine($"{pod}: {error}");
            else
                Console.WriteLine($"{pod}: {Describe(result!.Value)}");
        }
    }

    private static string Describe(GateResult result) =>
        result switch
        {
            GateResult.Restored => "released with its original images",
            GateResult.Gone => "already deleted",
            GateResult.LiftedByOthers => "already released",
            _ => "released",
        };
}
