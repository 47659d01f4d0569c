using System.Buffers;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using ProxySwapper.Admission;
using ProxySwapper.Admission.Json;
using ProxySwapper.Rules;

namespace ProxySwapper.Serving;

/// <summary>
/// Runs the code path of a review before the process reports ready, so that the first review does not wait for compilation. Nothing is
/// counted or logged as a review, and a failure is harmless.
/// </summary>
internal sealed partial class WarmUp(IServer server, ServingCertificate certificate, ConfigurationMonitor rules, ILogger<WarmUp> logger)
    : IHostedLifecycleService
{
    private const int Rounds = 30;

    private static readonly byte[] Review =
        """
        {"apiVersion":"admission.k8s.io/v1","kind":"AdmissionReview","request":{
        "uid":"warm-up","kind":{"group":"","version":"v1","kind":"Pod"},
        "namespace":"default","operation":"CREATE","object":{"metadata":{"name":"warm-up","labels":{"a":"b"},"annotations":{"a":"b"}},
        "spec":{
        "containers":[{"name":"a","image":"docker.io/library/warm-up:1"},{"name":"b","image":"not an image"}],
        "volumes":[{"name":"c","image":{
        "reference":"quay.io/warm/up@sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"}}]}}}}
        """u8.ToArray();

    public async Task StartedAsync(CancellationToken cancellationToken)
    {
        try
        {
            for (var round = 0; round < Rounds; round++)
            {
                using var response = new Utf8JsonBuffer();
                new AdmissionReviewer(rules.Current).TryReview(new ReadOnlySequence<byte>(Review), response, out _);
            }
            foreach (var address in server.Features.Get<IServerAddressesFeature>()!.Addresses.Select(BindingAddress.Parse))
                if (address.Scheme == Uri.UriSchemeHttps)
                    await ConnectAsync(address.Port, cancellationToken);
        }
        catch (Exception exception)
            when (exception is IOException or SocketException or AuthenticationException or OperationCanceledException)
        {
            Log.Failed(logger, exception.Message);
        }
        // Collects startup garbage, which should not influence the size of the heap.
        GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
    }

    public Task StartingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <summary>A TLS handshake and a request that gets a 404.</summary>
    private async Task ConnectAsync(int port, CancellationToken cancellationToken)
    {
        using var socket = new TcpClient();
        await socket.ConnectAsync(IPAddress.Loopback, port, cancellationToken);
        await using var stream = new SslStream(
            socket.GetStream(),
            leaveInnerStreamOpen: false,
            (_, shown, _, _) => certificate.Context.TargetCertificate.Equals(shown)
        );
        await stream.AuthenticateAsClientAsync(new SslClientAuthenticationOptions { TargetHost = "localhost" }, cancellationToken);
        await stream.WriteAsync(
            (
                "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 2\r\n"u8
                + "Connection: close\r\n\r\n{}"u8
            ).ToArray(),
            cancellationToken
        );
        await stream.CopyToAsync(Stream.Null, cancellationToken);
    }

    private static partial class Log
    {
        [LoggerMessage(1, LogLevel.Debug, "Warm-up skipped: {Reason}")]
        public static partial void Failed(ILogger logger, string reason);
    }
}
