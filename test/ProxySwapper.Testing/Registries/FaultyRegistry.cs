using Microsoft.AspNetCore.Http;
using ProxySwapper.Registry.InMemory;

namespace ProxySwapper.Testing.Registries;

/// <summary>
/// An <see cref="InMemoryRegistry"/> with injected faults: by a script, one fault per matching request in turn, or always.
/// Requests without a script have correct responses.
/// </summary>
internal sealed class FaultyRegistry : IAsyncDisposable
{
    private readonly Lock _gate = new();
    private readonly List<Script> _scripts = [];
    private readonly List<ReceivedRequest> _received = [];

    private FaultyRegistry() { }

    public InMemoryRegistry Registry { get; private set; } = null!;

    /// <summary>Authorization, before any fault, such as <see cref="TokenServer.GuardAsync"/>. Null (default) for none.</summary>
    public RegistryFault? Guard { get; set; }

    /// <summary>Host and port, in the form used in references.</summary>
    public string Address => Registry.Address;

    /// <summary>The requests received, in order, including faulty ones.</summary>
    public IReadOnlyList<ReceivedRequest> Received
    {
        get
        {
            lock (_gate)
                return [.. _received];
        }
    }

    public static async Task<FaultyRegistry> StartAsync(InMemoryRegistryOptions? options = null)
    {
        var faulty = new FaultyRegistry();
        faulty.Registry = await InMemoryRegistry.StartAsync(
            (options ?? new InMemoryRegistryOptions()) with
            {
                Interceptor = faulty.InterceptAsync,
            }
        );
        return faulty;
    }

    /// <summary>The next requests with this method and kind get these faults, one each, in order.</summary>
    public void Next(HttpMethod method, InMemoryRegistryRequestKind kind, params IEnumerable<RegistryFault> faults) =>
        Add((request, of) => request.Method == method.Method && of == kind, faults);

    /// <summary>Every request with this method and kind gets this fault.</summary>
    public void Always(HttpMethod method, InMemoryRegistryRequestKind kind, RegistryFault fault) =>
        Always((request, of) => request.Method == method.Method && of == kind, fault);

    /// <summary>Every matching request gets this fault.</summary>
    public void Always(Func<HttpRequest, InMemoryRegistryRequestKind, bool> matches, RegistryFault fault)
    {
        lock (_gate)
            _scripts.Add(new Script(matches, null, fault));
    }

    /// <summary>Each request gets the fault chosen for it, or none.</summary>
    public void Choose(Func<HttpRequest, InMemoryRegistryRequestKind, RegistryFault?> choose) =>
        Always(
            (_, _) => true,
            (context, registry) =>
                choose(context.Request, InMemoryRegistryRoute.Of(context.Request).Kind) is { } fault
                    ? fault(context, registry)
                    : registry(context)
        );

    /// <summary>Removes all faults.</summary>
    public void RemoveFaults()
    {
        lock (_gate)
            _scripts.Clear();
    }

    public ValueTask DisposeAsync() => Registry.DisposeAsync();

    private void Add(Func<HttpRequest, InMemoryRegistryRequestKind, bool> matches, IEnumerable<RegistryFault> faults)
    {
        lock (_gate)
            _scripts.Add(new Script(matches, new Queue<RegistryFault>(faults), null));
    }

    private Task InterceptAsync(HttpContext context, RequestDelegate registry)
    {
        RegistryFault? fault = null;
        lock (_gate)
        {
            var request = context.Request;
            _received.Add(ReceivedRequest.Of(request));
            var kind = InMemoryRegistryRoute.Of(request).Kind;
            foreach (var script in _scripts)
            {
                if (!script.Matches(request, kind))
                    continue;
                if (script.Constant is not null)
                    fault = script.Constant;
                else if (!script.Faults!.TryDequeue(out fault))
                    continue;
                break;
            }
        }
        RequestDelegate respond = fault is null ? registry : passed => fault(passed, registry);
        return Guard is null ? respond(context) : Guard(context, respond);
    }

    private sealed record Script(
        Func<HttpRequest, InMemoryRegistryRequestKind, bool> Matches,
        Queue<RegistryFault>? Faults,
        RegistryFault? Constant
    );
}
