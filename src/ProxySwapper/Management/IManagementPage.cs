namespace ProxySwapper.Management;

/// <summary>A page of the management port.</summary>
internal interface IManagementPage
{
    string Path { get; }

    /// <summary>True if it never requires the <see cref="ManagementToken"/>, which probes and scrapes do not have.</summary>
    bool IsOpen { get; }

    /// <summary>Handles GET and HEAD.</summary>
    Task RespondAsync(HttpContext context);
}

/// <summary><c>/healthz</c>: the process responds.</summary>
internal sealed class HealthPage : IManagementPage
{
    public string Path => "/healthz";

    public bool IsOpen => true;

    public Task RespondAsync(HttpContext context) => context.Response.WriteAsync("ok\n");
}
