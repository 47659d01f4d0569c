using ProxySwapper.Configuration;

namespace ProxySwapper.Rules;

/// <summary>All rules of one configuration, compiled once and never changed: a reload makes another one.</summary>
internal sealed class RuleSet
{
    private RuleSet(ProxySwapperOptions options) => Options = options;

    public ProxySwapperOptions Options { get; }

    /// <summary>Compiles checked options.</summary>
    public static RuleSet Compile(ProxySwapperOptions options) => new(options);

    /// <summary>Decides on one image. Never throws and never asks anybody.</summary>
    public ImageDecision Rewrite(string image, string @namespace) => throw new NotImplementedException($"{Options} {image} {@namespace}");
}
