using System.Globalization;
using System.Net;

namespace ProxySwapper.Kubernetes;

/// <summary>The version of an API server.</summary>
/// <param name="Major">1.</param>
/// <param name="Minor">Such as 27.</param>
/// <param name="GitVersion">The vendor's version, such as <c>v1.27.3-gke.100</c>.</param>
internal sealed record KubernetesVersion(int Major, int Minor, string GitVersion)
{
    /// <summary>Queries the API server.</summary>
    /// <exception cref="KubernetesException">The server returned an error, did not respond, or did not return a version.</exception>
    public static async Task<KubernetesVersion> GetAsync(KubernetesClient client, CancellationToken cancellationToken)
    {
        const string path = "/version";
        var version = await client.GetAsync(path, cancellationToken);
        var text = version.Text("gitVersion") ?? "";
        return Number(version.Text("major")) is { } major && Number(version.Text("minor")) is { } minor
            ? new KubernetesVersion(major, minor, text)
            : throw new KubernetesException(new ApiRequest(HttpMethod.Get, path), HttpStatusCode.OK, null, "the response has no version");
    }

    /// <summary>Whether this is the given version or later.</summary>
    public bool IsAtLeast(int major, int minor) => (Major, Minor).CompareTo((major, minor)) >= 0;

    public override string ToString() => GitVersion;

    /// <summary>Some vendors write <c>27+</c>.</summary>
    private static int? Number(string? text) =>
        int.TryParse(text?.TrimEnd('+'), NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : null;
}
