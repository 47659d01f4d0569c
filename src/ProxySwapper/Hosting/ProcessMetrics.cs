using System.Diagnostics;
using System.Diagnostics.Metrics;

namespace ProxySwapper.Hosting;

/// <summary>What every process is asked: memory, processor time, its start, its garbage collections, under the names that dashboards know.</summary>
internal sealed class ProcessMetrics
{
    public ProcessMetrics(IMeterFactory meters)
    {
        var meter = meters.Create("ProxySwapper.Process");
        var start = new DateTimeOffset(Process.GetCurrentProcess().StartTime).ToUnixTimeMilliseconds() / 1000.0;
        meter.CreateObservableGauge("process_start_time_seconds", () => start, description: "When the process started.");
        meter.CreateObservableGauge("process_resident_memory_bytes", () => Environment.WorkingSet, description: "Resident memory.");
        meter.CreateObservableCounter("process_cpu_seconds_total", () => Environment.CpuUsage.TotalTime.TotalSeconds, description: "Processor time, user and system.");
        meter.CreateObservableGauge("dotnet_gc_heap_bytes", () => GC.GetTotalMemory(forceFullCollection: false), description: "Managed memory in use.");
        meter.CreateObservableCounter("dotnet_gc_collections_total", Collections, description: "Garbage collections, by generation.");
        meter.CreateObservableGauge("dotnet_threadpool_threads", () => ThreadPool.ThreadCount, description: "Threads of the pool.");
    }

    private static IEnumerable<Measurement<int>> Collections() =>
        Enumerable.Range(0, GC.MaxGeneration + 1).Select(generation => new Measurement<int>(GC.CollectionCount(generation), new KeyValuePair<string, object?>("generation", generation)));
}
