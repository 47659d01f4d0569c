using System.Diagnostics.Metrics;

namespace ProxySwapper.Management;

/// <summary>
/// What every process is asked: memory, processor time, its start, its garbage collections, under the names that dashboards know.
/// </summary>
internal sealed class ProcessMetrics
{
    public ProcessMetrics(IMeterFactory meters)
    {
        var meter = meters.Create("ProxySwapper.Process");
        // A moment late, which spares us a library in memory that is good for nothing else here.
        var start = TimeProvider.System.GetUtcNow().ToUnixTimeMilliseconds() / 1000.0;
        var version = typeof(ProcessMetrics).Assembly.GetName().Version?.ToString(3);
        meters
            .Create("ProxySwapper")
            .CreateObservableGauge(
                "proxyswapper_build_info",
                () => new Measurement<int>(1, new KeyValuePair<string, object?>("version", version)),
                description: "Always 1; the label says which version of ProxySwapper runs."
            );
        meter.CreateObservableGauge("process_start_time_seconds", () => start, description: "When the process was set up.");
        meter.CreateObservableGauge("process_resident_memory_bytes", () => Environment.WorkingSet, description: "Resident memory.");
        meter.CreateObservableCounter(
            "process_cpu_seconds_total",
            () => Environment.CpuUsage.TotalTime.TotalSeconds,
            description: "Processor time, user and system."
        );
        meter.CreateObservableGauge(
            "dotnet_gc_heap_bytes",
            () => GC.GetTotalMemory(forceFullCollection: false),
            description: "Managed memory in use."
        );
        meter.CreateObservableCounter("dotnet_gc_collections_total", Collections, description: "Garbage collections, by generation.");
        meter.CreateObservableGauge("dotnet_threadpool_threads", () => ThreadPool.ThreadCount, description: "Threads of the pool.");
    }

    private static IEnumerable<Measurement<int>> Collections() =>
        Enumerable
            .Range(0, GC.MaxGeneration + 1)
            .Select(generation => new Measurement<int>(
                GC.CollectionCount(generation),
                new KeyValuePair<string, object?>("generation", generation)
            ));
}
