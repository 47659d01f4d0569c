using System.Collections.Concurrent;
using Microsoft.Extensions.Logging.Abstractions;
using ProxySwapper.Mirroring;
using ProxySwapper.Registries;
using ProxySwapper.Registry;
using ProxySwapper.Testing.Images;
using ProxySwapper.Testing.Processes;
using ProxySwapper.Testing.Registries;

namespace ProxySwapper.Tests.Mirroring;

/// <summary>The settings of destinations that existed before the run.</summary>
[TestFixture]
internal sealed class MirrorReconcileTests
{
    [TestCase(false)]
    [TestCase(true)]
    public async Task Each_destination_is_reconciled_once_in_a_run_that_changes_something(bool isDryRun)
    {
        await using var registry = await FaultyRegistry.StartAsync();
        var image = TestImage.Create(1, layers: 1);
        image.AddTo(registry.Registry, "team/app", "1.0.0", "1.1.0");
        image.AddTo(registry.Registry, "mirror/old", "1.0.0", "1.1.0");
        var file = MirrorFiles.Read(
            $$"""
            mode: all
            images:
              new: {source: {{registry.Address}}/team/app, destination: {{registry.Address}}/mirror/new}
              old: {source: {{registry.Address}}/team/app, destination: {{registry.Address}}/mirror/old}
              none: {source: {{registry.Address}}/team/none, destination: {{registry.Address}}/mirror/none}
            """
        );
        using var log = new CapturedLog();
        using var access = RegistryServices.Create(file.Registries, EnvironmentVariables.None, TimeProvider.System, log);
        var reconciled = new ConcurrentQueue<string>();
        await MirrorRun
            .Create(
                file,
                new MirrorSettings { DryRun = isDryRun },
                access,
                (destination, _) =>
                {
                    reconciled.Enqueue(destination.Repository);
                    return Task.CompletedTask;
                },
                new RecordingOutput(),
                TimeProvider.System,
                NullLogger.Instance
            )
            .RunAsync(CancellationToken.None);
        Assert.That(reconciled, isDryRun ? Is.Empty : Is.EquivalentTo(new[] { "mirror/new", "mirror/old" }));
    }
}
