using System.CommandLine;
using System.CommandLine.Parsing;
using ProxySwapper.Commands.Options;
using ProxySwapper.Commands.Output;
using ProxySwapper.Configuration;
using ProxySwapper.Registries;
using ProxySwapper.Registry;
using ProxySwapper.Registry.Copying;
using ProxySwapper.Registry.Oci;

namespace ProxySwapper.Commands;

/// <summary><c>proxyswapper copy</c>: one image with everything it references.</summary>
internal static class CopyCommand
{
    private const string DockerTransport = "docker://";

    public static Command Create()
    {
        var source = Image("SOURCE", "The image to copy: a tag or a digest.");
        var target = Image("TARGET", "Where to copy it.");
        var platforms = new Option<Platform[]>("--platform")
        {
            Description = "Copies only this platform of an index, OS/ARCH[/VARIANT]; can be repeated. Default: all.",
            CustomParser = ParsePlatforms,
        };
        var sparse = new Option<bool>("--sparse")
        {
            Description = "With --platform: writes the index unchanged, without its other manifests. Many registries reject that.",
        };
        var flatten = new Option<bool>("--flatten") { Description = "With one --platform: writes only that manifest, without an index." };
        var referrers = new Option<bool>("--referrers") { Description = "Also copies signatures, SBOMs and other referrers." };
        var copyTimeout = DurationOption.CreateCopyTimeout();
        var dryRun = new Option<bool>("--dry-run") { Description = "Prints the requests, blobs and bytes of the copy without making it." };
        var config = new Option<string?>("--config") { Description = "The configuration file, for its registries section. Default: none." };
        var debug = new Option<bool>("--debug", "-d") { Description = "Logs every step and every request." };
        var command = new ExampleCommand(
            "copy",
            "Copies one image with everything it references between registries.",
            "proxyswapper copy docker.io/library/nginx:1.27 registry.example.com/library/nginx:1.27",
            "proxyswapper copy --platform linux/amd64 --dry-run quay.io/coreos/etcd:v3.5.0 localhost:5000/etcd:v3.5.0"
        )
        {
            source,
            target,
            platforms,
            sparse,
            flatten,
            referrers,
            copyTimeout,
            dryRun,
            config,
            debug,
        };
        command.Validators.Add(result =>
        {
            var chosen = result.GetResult(platforms)?.Tokens.Count ?? 0;
            if (result.IsSet(sparse) && result.IsSet(flatten))
                result.AddError("--sparse and --flatten cannot be combined");
            if (result.IsSet(sparse) && chosen == 0)
                result.AddError("--sparse requires --platform");
            if (result.IsSet(flatten) && chosen != 1)
                result.AddError("--flatten requires exactly one --platform");
        });
        command.SetAction(
            (arguments, cancellationToken) =>
                ConfigurationFaults.ReportAsync(() =>
                    RunAsync(
                        new CopyRequest(arguments.GetValue(source)!, arguments.GetValue(target)!.WithDefaultTag())
                        {
                            Platforms = arguments.GetValue(platforms) ?? [],
                            Subset =
                                arguments.GetValue(sparse) ? PlatformSubset.Sparse
                                : arguments.GetValue(flatten) ? PlatformSubset.Flatten
                                : PlatformSubset.NewIndex,
                            Referrers = arguments.GetValue(referrers),
                            Timeout = arguments.GetValue(copyTimeout) ?? DurationOption.DefaultCopyTimeout,
                        },
                        arguments.GetValue(dryRun),
                        arguments.GetValue(config),
                        arguments.GetValue(debug),
                        cancellationToken
                    )
                )
        );
        return command;
    }

    private static async Task<int> RunAsync(
        CopyRequest request,
        bool isDryRun,
        string? config,
        bool isDebug,
        CancellationToken cancellationToken
    )
    {
        var environment = EnvironmentVariables.OfProcess();
        var options = config is null ? new ProxySwapperOptions() : ConfigurationReader.Read(config, environment);
        using var loggers = CommandLogging.Create(isDebug);
        using var access = RegistryServices.Create(options.Registries, environment, TimeProvider.System, loggers);
        request = request with
        {
            SourceCredentials = access.Credentials,
            TargetCredentials = access.Credentials,
            CreateRepository = access.Repositories.CreateAsync,
        };
        try
        {
            if (isDryRun)
                Print(request, await access.Copier.PlanAsync(request, cancellationToken));
            else
                await CopyAsync(access, request, cancellationToken);
            return 0;
        }
        catch (Exception fault) when (fault is not IOException && RegistryFailures.IsExpected(fault))
        {
            await Console.Error.WriteLineAsync(fault.Message);
            return 1;
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            await Console.Error.WriteLineAsync("Cancelled; the tag was not written.");
            return 1;
        }
    }

    private static void Print(CopyRequest request, CopyPlan plan)
    {
        Console.WriteLine($"{request.Source} -> {request.Target}");
        foreach (var blob in plan.Blobs)
            Console.WriteLine($"  blob      {blob.Digest} {ByteSize.Format(blob.Size)}");
        foreach (var manifest in plan.Manifests)
            Console.WriteLine($"  manifest  {manifest.Digest}");
        Console.WriteLine(
            plan.IsUpToDate
                ? "up to date"
                : $"{CountFormat.Format(plan.Requests, "request")}, {CountFormat.Format(plan.Blobs.Count, "blob")}, "
                    + $"{ByteSize.Format(plan.Bytes)} at most"
        );
        PrintDigest(plan.SourceDigest, plan.TargetDigest);
        PrintOmissions(plan.Omissions);
    }

    private static async Task CopyAsync(RegistryServices access, CopyRequest request, CancellationToken cancellationToken)
    {
        var time = TimeProvider.System;
        var start = time.GetTimestamp();
        var result = await CopyOutput.ShowAsync(
            progress => access.Copier.CopyAsync(request with { Progress = progress }, cancellationToken),
            time
        );
        Console.WriteLine(CopyOutput.Describe(request, result, time.GetElapsedTime(start)));
        PrintDigest(result.SourceDigest, result.TargetDigest);
        PrintOmissions(result.Omissions);
        await access.Repositories.ReconcileAsync(request.Target, cancellationToken);
    }

    private static void PrintOmissions(CopyOmissions omissions)
    {
        foreach (var sentence in omissions.Sentences)
            Console.Error.WriteLine(sentence);
    }

    private static void PrintDigest(Digest source, Digest target) =>
        Console.WriteLine(source == target ? $"digest {target}" : $"digest {target} (differs from {source}: platforms were left out)");

    private static Argument<ImageReference> Image(string name, string description) =>
        new(name)
        {
            Description = description,
            CustomParser = result =>
            {
                var text = result.Tokens[0].Value;
                // The prefix that skopeo and crane use.
                if (text.StartsWith(DockerTransport, StringComparison.Ordinal))
                    text = text[DockerTransport.Length..];
                if (ImageReference.TryParse(text, out var image, out var fault))
                    return image;
                result.AddError($"invalid image '{text}': {fault}");
                return null!;
            },
        };

    private static Platform[] ParsePlatforms(ArgumentResult result)
    {
        var platforms = new List<Platform>();
        foreach (var token in result.Tokens)
            if (Platform.TryParse(token.Value, out var platform))
                platforms.Add(platform);
            else
                result.AddError(
                    $"'{token.Value}' is not a valid platform; it must be OS/ARCH[/VARIANT], such as linux/amd64 or linux/arm/v7"
                );
        return [.. platforms];
    }
}
