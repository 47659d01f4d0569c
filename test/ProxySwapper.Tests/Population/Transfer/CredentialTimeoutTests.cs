using System.Net;
using Microsoft.Extensions.Logging.Abstractions;
using ProxySwapper.Kubernetes;
using ProxySwapper.Population.Queue;
using ProxySwapper.Population.Transfer;
using ProxySwapper.Population.Work;
using ProxySwapper.Registry;
using ProxySwapper.Registry.Credentials;
using ProxySwapper.Registry.InMemory;
using ProxySwapper.Registry.Transport;

namespace ProxySwapper.Tests.Population.Transfer;

/// <summary>With how many credentials a registry is tried that does not respond: each costs a timeout and its retry.</summary>
[TestFixture]
[FixtureLifeCycle(LifeCycle.InstancePerTestCase)]
internal sealed class CredentialTimeoutTests
{
    private readonly List<string> _tried = [];
    private TransferScene _scene = null!;

    [SetUp]
    public async Task Start()
    {
        _scene = await TransferScene.StartAsync(
            new InMemoryRegistryOptions
            {
                Interceptor = (context, next) =>
                {
                    if (context.Request.Headers.Authorization.Count > 0)
                        return next(context);
                    context.Response.StatusCode = 401;
                    context.Response.Headers.WWWAuthenticate = "Basic realm=\"upstream\"";
                    return Task.CompletedTask;
                },
            }
        );
    }

    [TearDown]
    public async Task Stop() => await _scene.DisposeAsync();

    [Test]
    public void A_registry_that_does_not_respond_to_two_tenants_is_down()
    {
        var fault = Assert.CatchAsync(() => RunAsync("own", Of("a", "hangs-1", "hangs-2"), Of("b", "hangs-3", "hangs-4")));
        Assert.That(_tried, Is.EqualTo(["hangs-1", "hangs-3"]));
        Assert.That(FailureClassifier.Read(fault!).Kind, Is.EqualTo(FailureKind.RegistryDown));
    }

    [Test]
    public async Task Of_one_tenants_secrets_two_time_out_and_then_the_others_have_their_turn()
    {
        var result = await RunAsync("own", Of("a", "hangs-1", "hangs-2", "hangs-3", "hangs-4"));
        Assert.That(result.Outcome, Is.EqualTo(TransferOutcome.Copied));
        Assert.That(_tried, Is.EqualTo(["hangs-1", "hangs-2", "own"]));
    }

    [Test]
    public async Task A_timeout_with_our_own_credential_keeps_no_tenants_secret_from_being_tried()
    {
        var result = await RunAsync("hangs-own", Of("a", "hangs-1"), Of("b", "unauthorized", "right"));
        Assert.That(result.Outcome, Is.EqualTo(TransferOutcome.Copied));
        Assert.That(_tried, Is.EqualTo(["hangs-1", "unauthorized", "hangs-own", "right"]));
    }

    private static PodOrigin Of(string @namespace, params string[] secrets) => new(@namespace, "pod", "default", secrets) { Uid = "u" };

    /// <summary>Copies the image with secrets that have their names as content.</summary>
    private Task<TransferResult> RunAsync(string own, params PodOrigin[] origins)
    {
        // In the order in which they are read: the namespaces take turns.
        for (var turn = 0; turn < origins.Max(origin => origin.PullSecrets.Count); turn++)
            foreach (var origin in origins.Where(origin => origin.PullSecrets.Count > turn))
                _scene.Server.Respond(200, PullSecretSamples.Create("s", origin.PullSecrets[turn]).ToJsonString());
        var transfer = new ImageTransfer(
            _scene.Registries,
            new CacheWarmer(_scene.Registries.Clients, _scene.Registries.Credentials, TimeProvider.System),
            new SourceCredentials(
                new PullSecretReader(_scene.Client),
                SourceOf(own),
                () => true,
                (json, _) => SourceOf(json, isRead: true),
                NullLogger<SourceCredentials>.Instance
            ),
            new TagSources(_scene.Registries),
            () => TimeSpan.FromMinutes(5),
            TimeProvider.System
        );
        return _scene.RunAsync(transfer, origins);
    }

    private TriedSource SourceOf(string name, bool isRead = false) => new(_tried, _scene.Upstream.Address, name, isRead);

    /// <summary>A credential with which, by its name, the registry's token server does not respond or returns an error.</summary>
    /// <param name="tried">Receives its name when the registry asks for it.</param>
    /// <param name="registry">The registry.</param>
    /// <param name="name">Its name.</param>
    /// <param name="isRead">Whether it is first read without being used.</param>
    private sealed class TriedSource(List<string> tried, string registry, string name, bool isRead) : IRegistryCredentialSource
    {
        private bool _isRead = isRead;

        public bool IsOwn => false;

        public ValueTask<RegistryCredential?> GetAsync(ImageReference image, CancellationToken cancellationToken)
        {
            if (_isRead)
            {
                _isRead = false;
                return new(RegistryCredential.Basic(name, "p"));
            }
            lock (tried)
                if (!tried.Contains(name))
                    tried.Add(name);
            if (name.StartsWith("hangs", StringComparison.Ordinal))
                throw Fault(null, new TimeoutException("no response within 30 s"));
            if (name == "unauthorized")
                throw Fault(HttpStatusCode.Forbidden, null);
            return new(RegistryCredential.Basic(name, "p"));
        }

        private RegistryException Fault(HttpStatusCode? status, Exception? cause) =>
            new(HttpMethod.Get, RegistryName.Parse(registry), "app", status, [], innerException: cause);
    }
}
