using BenchmarkDotNet.Running;
using ProxySwapper.Benchmarks.Gate;
using ProxySwapper.Benchmarks.Mirror;
using ProxySwapper.Benchmarks.Policy;
using ProxySwapper.Benchmarks.Populate;
using ProxySwapper.Benchmarks.Registry;
using ProxySwapper.Benchmarks.Swap;

// Measurements of whole programs have their own names; everything else is passed to BenchmarkDotNet.
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
