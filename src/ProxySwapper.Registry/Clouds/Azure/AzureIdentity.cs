using Azure.Core;
using Azure.Identity;

namespace ProxySwapper.Registry.Clouds.Azure;

/// <summary>
/// Who this process is at Azure: Azure.Identity's own chain, or one client of it
/// (<see href="https://learn.microsoft.com/dotnet/azure/sdk/authentication/credential-chains">DefaultAzureCredential</see>).
/// </summary>
internal static class AzureIdentity
{
    public static TokenCredential Of(AzureAccount? account, Func<string, string?> variable)
    {
        var options = new DefaultAzureCredentialOptions
        {
            // The programs of developers that are asked by starting them, but for the one that people log in to registries with.
            ExcludeVisualStudioCredential = true,
            ExcludeVisualStudioCodeCredential = true,
            ExcludeAzurePowerShellCredential = true,
            ExcludeAzureDeveloperCliCredential = true,
            ExcludeBrokerCredential = true,
            // An authority of one's own is not among those that Microsoft's public cloud knows.
            DisableInstanceDiscovery = IsPrivateAuthority(variable("AZURE_AUTHORITY_HOST")),
            Retry = { MaxRetries = 2, NetworkTimeout = TimeSpan.FromSeconds(15) },
        };
        if (account?.TenantId is { } tenant)
            options.TenantId = tenant;
        if (account?.ClientId is { } client)
        {
            (options.WorkloadIdentityClientId, options.ManagedIdentityClientId) = (client, client);
            // What the environment and the Azure CLI know is somebody else.
            (options.ExcludeEnvironmentCredential, options.ExcludeAzureCliCredential) = (true, true);
        }
        return new DefaultAzureCredential(options);
    }

    private static bool IsPrivateAuthority(string? authority) =>
        Uri.TryCreate(authority, UriKind.Absolute, out var uri)
        && uri.Host
            is not (
                "login.microsoftonline.com"
                or "login.chinacloudapi.cn"
                or "login.partner.microsoftonline.cn"
                or "login.microsoftonline.us"
            );
}
