using System.Net.Http.Headers;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using ProxySwapper.Admission;
using ProxySwapper.Configuration;
using ProxySwapper.Management;
using ProxySwapper.Serving;

namespace ProxySwapper.Demo;

/// <summary>The webhook in this process, called over TLS like an API server does.</summary>
internal sealed class DemoWebhook : IAsyncDisposable
{
    private readonly DemoCertificate _certificate = new(TimeProvider.System);
    private readonly IHost _app;
    private HttpClient _client = new();

    private DemoWebhook(ProxySwapperOptions options, string? kubeconfig)
    {
        if (kubeconfig is not null)
            File.WriteAllText(_certificate.FileOf("kubeconfig"), kubeconfig);
        var serving = ServingCertificate.Load(_certificate.CertificateFile, _certificate.KeyFile);
        _app = ServeHost.Create(
            options,
            null,
            serving,
            logging => logging.AddProgramLogging(LogLevel.Error, LogFormat.Text),
            isLocal: true,
            kubeconfig: kubeconfig is null ? null : _certificate.FileOf("kubeconfig")
        );
    }

    public Uri Address { get; private set; } = new("https://localhost");

    /// <summary>The authority in the format of a webhook configuration.</summary>
    public string CaBundle => _certificate.CaBundle;

    public static Task<DemoWebhook> StartAsync(ProxySwapperOptions options, CancellationToken cancellationToken) =>
        StartAsync(options, null, cancellationToken);

    /// <summary>Starts the webhook.</summary>
    /// <param name="options">The configuration.</param>
    /// <param name="kubeconfig">The text of a kubeconfig of the cluster, or null for none.</param>
    /// <param name="cancellationToken">Ends the start.</param>
    public static async Task<DemoWebhook> StartAsync(ProxySwapperOptions options, string? kubeconfig, CancellationToken cancellationToken)
    {
        var webhook = new DemoWebhook(options, kubeconfig);
        await webhook._app.StartAsync(cancellationToken);
        var addresses = webhook._app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses;
        var port = new Uri(addresses.Single(address => address.StartsWith("https", StringComparison.Ordinal))).Port;
        webhook.Address = new Uri($"https://localhost:{port}{AdmissionEndpoint.Path}");
        webhook._client = webhook._certificate.CreateClient(webhook.Address);
        return webhook;
    }

    public T Get<T>()
        where T : notnull => _app.Services.GetRequiredService<T>();

    /// <summary>Sends the creation of a Pod to the webhook.</summary>
    public async Task<(JsonArray? Patch, JsonArray? Warnings)> ReviewAsync(JsonObject pod, CancellationToken cancellationToken)
    {
        var review = new JsonObject
        {
            ["kind"] = "AdmissionReview",
            ["apiVersion"] = "admission.k8s.io/v1",
            ["request"] = new JsonObject
            {
                ["uid"] = Guid.NewGuid().ToString(),
                ["kind"] = new JsonObject { ["version"] = "v1", ["kind"] = "Pod" },
                ["operation"] = "CREATE",
                ["namespace"] = "demo",
                ["object"] = pod.DeepClone(),
            },
        };
        using var content = new StringContent(review.ToJsonString(), Encoding.UTF8, MediaTypeHeaderValue.Parse("application/json"));
        using var response = await _client.PostAsync(Address, content, cancellationToken);
        var result = JsonNode.Parse(await response.EnsureSuccessStatusCode().Content.ReadAsStringAsync(cancellationToken))!["response"]!;
        var patch = result["patch"] is { } text ? JsonNode.Parse(Convert.FromBase64String((string)text!))!.AsArray() : null;
        return (patch, result["warnings"]?.AsArray());
    }

    public async ValueTask DisposeAsync()
    {
        await _app.StopAsync();
        await ((IAsyncDisposable)_app).DisposeAsync();
        _client.Dispose();
        _certificate.Dispose();
    }
}
