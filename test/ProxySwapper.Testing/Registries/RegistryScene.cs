using ProxySwapper.Registry;
using ProxySwapper.Registry.Credentials;
using ProxySwapper.Registry.Distribution;
using ProxySwapper.Registry.InMemory;
using ProxySwapper.Testing.Processes;
using ProxySwapper.Testing.Time;

namespace ProxySwapper.Testing.Registries;

/// <summary>A registry with injectable faults, and a client whose pauses take no time.</summary>
internal sealed class RegistryScene : IAsyncDisposable
{
    private RegistryScene(
        FaultyRegistry registry,
        RegistryClients clients,
        IRegistryCredentialSource credentials,
        SkippingTimeProvider time,
        CapturedLog log
    ) =>
        (Faulty, Clients, Client, Time, Log) = (
            registry,
            clients,
            clients.For(RegistryName.Parse(registry.Address), credentials),
            time,
            log
        );

    /// <summary>Timeouts are so long that only a test's <see cref="SkippingTimeProvider.Advance"/> reaches them.</summary>
    public static RegistryOptions Options { get; } = new() { ResponseTimeout = TimeSpan.FromDays(1), StallTimeout = TimeSpan.FromDays(1) };

    public FaultyRegistry Faulty { get; }

    public InMemoryRegistry Registry => Faulty.Registry;

    public RegistryClients Clients { get; }

    public RegistryClient Client { get; }

    public SkippingTimeProvider Time { get; }

    public CapturedLog Log { get; }

    /// <param name="registry">The registry's options.</param>
    /// <param name="options">The client's options; change <see cref="Options"/>.</param>
    /// <param name="credentials">The credentials.</param>
    public static async Task<RegistryScene> StartAsync(
        InMemoryRegistryOptions? registry = null,
        RegistryOptions? options = null,
        IRegistryCredentialSource? credentials = null
    )
    {
        var (time, log) = (NewTime(), new CapturedLog());
        var faulty = await FaultyRegistry.StartAsync(registry);
        return new RegistryScene(
            faulty,
            new RegistryClients(options ?? Options, time, log),
            credentials ?? CredentialChain.Anonymous,
            time,
            log
        );
    }

    /// <summary>A clock that skips pauses and stops at the timeouts of <see cref="Options"/>.</summary>
    public static SkippingTimeProvider NewTime() => new(TimeSpan.FromHours(1));

    public async ValueTask DisposeAsync()
    {
        Clients.Dispose();
        await Faulty.DisposeAsync();
        Log.Dispose();
    }
}
