using System.Buffers;
using System.Collections.Concurrent;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using ProxySwapper.Admission;
using ProxySwapper.Admission.Json;
using ProxySwapper.Rules;
using ProxySwapper.Testing.Processes;

namespace ProxySwapper.IntegrationTests.AdmissionPolicies;

/// <summary>
/// The webhook for many configurations at once: it reads, decides and responds like the webhook, with the rules of the requesting user, so
/// that one webhook configuration is enough for all.
/// </summary>
internal sealed class ReviewServer : IAsyncDisposable
{
    private readonly ConcurrentDictionary<string, RuleSet> _rules = [];
    private readonly TestCertificates _certificates = new();
    private readonly WebApplication _application;

    private ReviewServer(int port)
    {
        Port = port;
        var builder = WebApplication.CreateBuilder();
        builder.Logging.ClearProviders();
        var (certificate, key) = _certificates.Issue();
        builder.WebHost.ConfigureKestrel(options =>
            options.ListenLocalhost(
                port,
                listen =>
                    listen.UseHttps(
                        X509CertificateLoader.LoadPkcs12(
                            X509Certificate2.CreateFromPem(certificate, key).Export(X509ContentType.Pkcs12),
                            null
                        )
                    )
            )
        );
        _application = builder.Build();
        _application.MapPost("/mutate", RespondAsync);
    }

    public int Port { get; }

    public string AuthorityBase64 => Convert.ToBase64String(Encoding.UTF8.GetBytes(_certificates.AuthorityPem));

    public static async Task<ReviewServer> StartAsync()
    {
        var server = new ReviewServer(TestProcess.FreePort());
        await server._application.StartAsync();
        return server;
    }

    /// <summary>Uses these rules for this user's Pods from now on.</summary>
    public void Add(string user, RuleSet rules) => _rules[user] = rules;

    public async ValueTask DisposeAsync()
    {
        await _application.DisposeAsync();
        _certificates.Dispose();
    }

    private async Task RespondAsync(HttpContext context)
    {
        using var body = new MemoryStream();
        await context.Request.Body.CopyToAsync(body);
        using var document = JsonDocument.Parse(body.ToArray());
        var user = document.RootElement.GetProperty("request").GetProperty("userInfo").GetProperty("username").GetString()!;
        using var output = new Utf8JsonBuffer();
        if (!new AdmissionReviewer(_rules[user]).TryReview(new ReadOnlySequence<byte>(body.ToArray()), output, out var error))
            throw new InvalidOperationException(error);
        context.Response.ContentType = "application/json";
        await context.Response.Body.WriteAsync(output.Written.ToArray());
    }
}
