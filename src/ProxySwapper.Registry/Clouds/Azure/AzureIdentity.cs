using Azure.Core;
using Azure.Identity;

namespace ProxySwapper.Registry.Clouds.Azure;

/// <summary>
/// The Azure identity of this process: Azure.Identity's default chain, or a single client
/// (<see href="https://learn.microsoft.com/dotnet/azure/sdk/authentication/credential-chains">DefaultAzureCredential</see>).
/// </summary>
internal static class AzureIdentity
{
    public static TokenCredential Of(AzureAccount? account, EnvironmentVariables variables)
    {
        var options = new DefaultAzureCredentialOptions
        {
            // Developer tools that would be started as processes, except for the one used to log in to registries.
            ExcludeVisualStudioCredential = true,
            ExcludeVisualStudioCodeCredential = true,
            ExcludeAzurePowerShellCredential = true,
            ExcludeAzureDeveloperCliCredential = true,
            ExcludeBrokerCredential = true,
            // A custom authority is unknown to Microsoft's public cloud.
            DisableInstanceDiscovery = IsPrivateAuthority(variables["AZURE_AUTHORITY_HOST"]),
            Retry = { MaxRetries = 2, NetworkTimeout = TimeSpan.FromSeconds(15) },
        };
        if (account?.TenantId is { } tenant)
            options.TenantId = tenant;
        if (account?.ClientId is { } client)
        {
            (options.WorkloadIdentityClientId, options.ManagedIdentityClientId) = (client, client);
            // The environment and the Azure CLI have another identity.
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
