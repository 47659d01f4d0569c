using System.Net;
using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;

namespace ProxySwapper.Testing.Processes;

/// <summary>HTTP servers of this process.</summary>
internal static class LoopbackServer
{
    /// <summary>A server on a free port of 127.0.0.1, without limits for bodies; not started yet.</summary>
    /// <param name="certificate">For TLS; null for plain HTTP.</param>
    public static WebApplication Build(X509Certificate2? certificate = null)
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder
            .WebHost.UseKestrelCore()
            .ConfigureKestrel(kestrel =>
            {
                kestrel.Limits.MaxRequestBodySize = null;
                kestrel.Listen(
                    IPAddress.Loopback,
                    0,
                    listen =>
                    {
                        if (certificate is not null)
                            listen.UseHttps(certificate);
                    }
                );
            });
        if (certificate is not null)
            builder.WebHost.UseKestrelHttpsConfiguration();
        return builder.Build();
    }
}
