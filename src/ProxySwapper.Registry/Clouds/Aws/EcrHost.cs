using System.Text.RegularExpressions;

namespace ProxySwapper.Registry.Clouds.Aws;

/// <summary>
/// The account, region and API endpoint of one of Amazon's registries, derived from its host name
/// (<see href="https://docs.aws.amazon.com/general/latest/gr/ecr.html">Amazon ECR endpoints</see>).
/// </summary>
/// <param name="Host">The registry's host.</param>
/// <param name="Account">The twelve digits of its account, empty if the name does not contain it, null for the public registry.</param>
/// <param name="Region">The region, such as <c>eu-central-1</c>.</param>
/// <param name="ApiEndpoint">The API endpoint.</param>
public sealed partial record EcrHost(RegistryName Host, string? Account, string Region, Uri ApiEndpoint)
{
    /// <summary>What a region must be, for messages.</summary>
    public const string RegionRule =
        "must be a region, such as eu-central-1: 1 to 63 lower-case letters, digits and '-', starting and ending with a letter or digit";

    /// <summary>One label of a host name, so that the API endpoint is Amazon's whatever the region.</summary>
    private const string RegionPattern = "[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?";

    /// <summary>True for <c>public.ecr.aws</c>, which has a different API in a single region.</summary>
    public bool IsPublic => Account is null;

    /// <summary>Parses a host; null if it is not one of Amazon's.</summary>
    /// <param name="host">The host.</param>
    /// <param name="region">
    /// The region of a host with a custom name that the configuration declares to be a private registry of Amazon's; null for other hosts.
    /// </param>
    public static EcrHost? Parse(RegistryName host, string? region = null)
    {
        if (host.Text is "public.ecr.aws" or "ecr-public.aws.com")
            return Public(host);
        if (Classic().Match(host.Text) is { Success: true } classic)
            return Private(
                host,
                classic,
                named => $"{(classic.Groups["fips"].Length > 0 ? "ecr-fips" : "api.ecr")}.{named}.{classic.Groups["domain"].Value}"
            );
        if (DualStack().Match(host.Text) is { Success: true } dual)
            return Private(host, dual, named => $"ecr{dual.Groups["fips"].Value}.{named}.{ApiDomainOf(dual.Groups["domain"].Value)}");
        return region is null || !IsRegion(region)
            ? null
            : new EcrHost(host, "", region, new Uri($"https://api.ecr.{region}.{DomainOf(region)}"));
    }

    /// <summary>True for a text that can be a region.</summary>
    public static bool IsRegion(string text) => RegionName().IsMatch(text);

    private static EcrHost Private(RegistryName host, Match match, Func<string, string> apiOf)
    {
        var region = match.Groups["region"].Value;
        return new EcrHost(host, match.Groups["account"].Value, region, new Uri($"https://{apiOf(region)}"));
    }

    private static EcrHost Public(RegistryName host) =>
        new(host, null, "us-east-1", new Uri("https://api.ecr-public.us-east-1.amazonaws.com"));

    private static string ApiDomainOf(string dualStack) => dualStack == "on.aws" ? "api.aws" : "api.amazonwebservices.com.cn";

    private static string DomainOf(string region) =>
        region.StartsWith("cn-", StringComparison.Ordinal) ? "amazonaws.com.cn" : "amazonaws.com";

    [GeneratedRegex(
        $@"^(?<account>[0-9]{{12}})\.dkr\.ecr(?<fips>-fips)?\.(?<region>{RegionPattern})\."
            + @"(?<domain>amazonaws\.com|amazonaws\.com\.cn|amazonaws\.eu"
            + @"|c2s\.ic\.gov|sc2s\.sgov\.gov|cloud\.adc-e\.uk|csp\.hci\.ic\.gov)\z",
        RegexOptions.CultureInvariant
    )]
    private static partial Regex Classic();

    [GeneratedRegex(
        $@"^(?<account>[0-9]{{12}})\.dkr-ecr(?<fips>-fips)?\.(?<region>{RegionPattern})\."
            + @"(?<domain>on\.aws|on\.amazonwebservices\.com\.cn)\z",
        RegexOptions.CultureInvariant
    )]
    private static partial Regex DualStack();

    [GeneratedRegex($@"^{RegionPattern}\z", RegexOptions.CultureInvariant)]
    private static partial Regex RegionName();
}
