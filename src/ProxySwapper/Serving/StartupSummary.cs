using ProxySwapper.Configuration;
using ProxySwapper.Configuration.Yaml;

namespace ProxySwapper.Serving;

/// <summary>Logs what the program will do, and warns if that is nothing.</summary>
internal sealed partial class StartupSummary(ProxySwapperOptions options, ILogger<StartupSummary> logger) : IHostedService
{
    public Task StartAsync(CancellationToken cancellationToken)
    {
        Write(options, logger);
        return Task.CompletedTask;
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <summary>Logs what a configuration does, at startup and after a reload.</summary>
    public static void Write(ProxySwapperOptions options, ILogger logger)
    {
        var targets = TargetsOf(options);
        if (targets.Count > 0)
            Log.Rules(
                logger,
                Math.Max(1, options.Rules.Count),
                string.Join(", ", targets),
                ConfigurationValue.Of(options.SwapPolicy),
                ConfigurationValue.Of(options.Populate.Policy)
            );
        else
            Log.NoRule(logger);
        if (options.DryRun)
            Log.DryRun(logger);
    }

    private static List<string> TargetsOf(ProxySwapperOptions options) =>
        [
            .. options
                .Rules.Select(rule => rule.Replace ?? rule.Target ?? options.ProxyUrl)
                .Append(options.Rules.Count == 0 ? options.ProxyUrl : null)
                .OfType<string>()
                .Distinct(StringComparer.Ordinal),
        ];

    private static partial class Log
    {
        [LoggerMessage(
            1,
            LogLevel.Information,
            "Images go to {Targets}; rules: {Rules}, swapPolicy: {SwapPolicy}, populate.policy: {Populate}"
        )]
        public static partial void Rules(ILogger logger, int rules, string targets, string swapPolicy, string populate);

        [LoggerMessage(
            2,
            LogLevel.Warning,
            "No rules and no proxyUrl: all images are left unchanged; set one of them in the configuration"
        )]
        public static partial void NoRule(ILogger logger);

        [LoggerMessage(
            3,
            LogLevel.Warning,
            "dryRun is on: decisions are logged, counted and shown at /populate; nothing is patched, gated or copied"
        )]
        public static partial void DryRun(ILogger logger);
    }
}
