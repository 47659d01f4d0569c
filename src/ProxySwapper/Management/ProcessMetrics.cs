using System.Diagnostics.Metrics;

namespace ProxySwapper.Management;

/// <summary>Metrics of the process, under the usual names: memory, CPU time, start time, garbage collections.</summary>
internal sealed class ProcessMetrics
{
    public ProcessMetrics(IMeterFactory meters)
    {
        var meter = meters.Create("ProxySwapper.Process");
        // Slightly late, but avoids loading a library only for this.
        var start = TimeProvider.System.GetUtcNow().ToUnixTimeMilliseconds() / 1000.0;
        var version = ProgramVersion.Read().Version;
        meters
            .Create("ProxySwapper")
            .CreateObservableGauge(
                "proxyswapper_build_info",
                () => new Measurement<int>(1, new KeyValuePair<string, object?>("version", version)),
                description: "Always 1; the label is the version of ProxySwapper."
            );
        meter.CreateObservableGauge(
            "process_start_time_seconds",
            () => start,
            description: "Start time of the process, in seconds since the Unix epoch."
        );
        meter.CreateObservableGauge(
            "process_resident_memory_bytes",
            () => Environment.WorkingSet,
            description: "Resident memory size in bytes."
        );
        meter.CreateObservableCounter(
            "process_cpu_seconds_total",
            () => Environment.CpuUsage.TotalTime.TotalSeconds,
            description: "User and system CPU time used, in seconds."
        );
        meter.CreateObservableGauge(
            "dotnet_gc_heap_bytes",
            () => GC.GetTotalMemory(forceFullCollection: false),
            description: "Memory in use on the .NET garbage collector's heap, in bytes."
        );
        meter.CreateObservableCounter(
            "dotnet_gc_collections_total",
            Collections,
            description: "Garbage collections of .NET, by generation."
        );
        meter.CreateObservableGauge(
            "dotnet_threadpool_threads",
            () => ThreadPool.ThreadCount,
            description: "Threads of the .NET thread pool."
        );
    }

    private static IEnumerable<Measurement<int>> Collections() =>
        Enumerable
            .Range(0, GC.MaxGeneration + 1)
            .Select(generation => new Measurement<int>(
                GC.CollectionCount(generation),
                new KeyValuePair<string, object?>("generation", generation)
            ));
}
