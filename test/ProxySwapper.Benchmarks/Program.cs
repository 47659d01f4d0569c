using BenchmarkDotNet.Running;
using ProxySwapper.Benchmarks.Gate;
using ProxySwapper.Benchmarks.Mirror;
using ProxySwapper.Benchmarks.Policy;
using ProxySwapper.Benchmarks.Populate;
using ProxySwapper.Benchmarks.Registry;
using ProxySwapper.Benchmarks.Swap;

// The measurements of whole programs have names of their own; the rest is what BenchmarkDotNet takes.
switch (args)
{
    case ["populate"]:
        return await PopulateMeasurement.RunAsync();
    case [GateMeasurement.Name]:
        return await GateMeasurement.RunAsync();
    case [PolicyMeasurement.Name]:
        return await PolicyMeasurement.RunAsync();
    case [RegistryMeasurement.Name]:
        return await RegistryMeasurement.RunAsync();
    case [MirrorMeasurement.Name]:
        return await MirrorMeasurement.RunAsync();
    case ["swap"]:
        return await SwapMeasurement.RunAsync(null);
    case ["swap", var before]:
        return await SwapMeasurement.RunAsync(before);
    case [BaselineServer.Name, var port, var folder]:
        await BaselineServer.RunAsync(int.Parse(port, System.Globalization.CultureInfo.InvariantCulture), folder);
        return 0;
    default:
        BenchmarkSwitcher.FromAssembly(System.Reflection.Assembly.GetExecutingAssembly()).Run(args);
        return 0;
}
