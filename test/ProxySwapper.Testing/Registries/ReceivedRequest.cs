using Microsoft.AspNetCore.Http;

namespace ProxySwapper.Testing.Registries;

/// <summary>A request received by a fake.</summary>
internal sealed record ReceivedRequest(string Method, string Path, string Query, IReadOnlyDictionary<string, string> Headers)
{
    /// <summary>A copy of a request, which is only valid while it is handled.</summary>
    public static ReceivedRequest Of(HttpRequest request) =>
        new(
            request.Method,
            request.Path,
            request.QueryString.Value ?? "",
            request.Headers.ToDictionary(header => header.Key, header => header.Value.ToString(), StringComparer.OrdinalIgnoreCase)
        );

    public string? Header(string name) => Headers.GetValueOrDefault(name);

    public override string ToString() => $"{Method} {Path}{Query}";
}
