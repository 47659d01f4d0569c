using System.Buffers;
using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;

namespace ProxySwapper.Benchmarks.Swap;

/// <summary>
/// The cost of Kestrel alone: an HTTPS endpoint that reads the body and responds with as many bytes as the webhook, with the default
/// settings of Kestrel and the runtime.
/// </summary>
internal static class BaselineServer
{
    public const string Name = "baseline-server";

    /// <summary>Stands in for a response with a patch.</summary>
    private static readonly byte[] Body = [.. Enumerable.Repeat((byte)'x', 1000)];

    public static async Task RunAsync(int port, string folder)
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        using var certificate = X509Certificate2.CreateFromPemFile(Path.Combine(folder, "tls.crt"), Path.Combine(folder, "tls.key"));
        builder
            .WebHost.UseKestrelCore()
            .UseKestrelHttpsConfiguration()
            .ConfigureKestrel(kestrel => kestrel.ListenAnyIP(port, listen => listen.UseHttps(certificate)));
        await using var app = builder.Build();
        app.Run(async context =>
        {
            var body = context.Request.BodyReader;
            while (true)
            {
                var read = await body.ReadAsync();
                body.AdvanceTo(read.Buffer.End);
                if (read.IsCompleted)
                    break;
            }
            context.Response.ContentType = "application/json";
            context.Response.ContentLength = Body.Length;
            context.Response.BodyWriter.Write(Body);
            await context.Response.BodyWriter.FlushAsync();
        });
        await app.RunAsync();
    }
}
