using System.Text;

namespace ProxySwapper.Management;

/// <summary>A condition for receiving requests, or information for the operator.</summary>
internal interface IReadinessCheck
{
    /// <summary>Its name in <c>/readyz?verbose</c>.</summary>
    string CheckName { get; }

    /// <summary>Its current state.</summary>
    ReadinessState State { get; }
}

/// <summary>The current state of a check.</summary>
/// <param name="IsReady">False removes this process from its Service.</param>
/// <param name="Detail">A message for the operator; empty if everything is fine.</param>
internal readonly record struct ReadinessState(bool IsReady, string Detail = "");

/// <summary>Serves <c>/readyz</c>: 503 until everything is loaded, and while draining; <c>?verbose</c> lists the checks.</summary>
internal sealed class Readiness(IEnumerable<IReadinessCheck> checks) : IManagementPage
{
    private volatile bool _isStarted;
    private volatile bool _isDraining;

    public string Path => "/readyz";

    public bool IsOpen => true;

    public void Started() => _isStarted = true;

    public void Drain() => _isDraining = true;

    public async Task RespondAsync(HttpContext context)
    {
        var states = checks
            .Select(check => (Name: check.CheckName, check.State))
            .Append((Name: "started", State: new ReadinessState(_isStarted, _isStarted ? "" : "warming up")))
            .Append((Name: "serving", State: new ReadinessState(!_isDraining, _isDraining ? "draining" : "")))
            .ToList();
        var isReady = states.TrueForAll(entry => entry.State.IsReady);
        context.Response.StatusCode = isReady ? StatusCodes.Status200OK : StatusCodes.Status503ServiceUnavailable;
        context.Response.ContentType = "text/plain; charset=utf-8";
        await context.Response.WriteAsync(
            context.Request.Query.ContainsKey("verbose") ? Describe(states, isReady)
            : isReady ? "ok\n"
            : "not ready\n"
        );
    }

    private static string Describe(List<(string Name, ReadinessState State)> states, bool isReady)
    {
        var text = new StringBuilder();
        foreach (var (name, state) in states)
            text.Append(state.IsReady ? "[+]" : "[-]")
                .Append(name)
                .Append(state.Detail.Length == 0 ? " ok" : $": {state.Detail}")
                .Append('\n');
        return text.Append(isReady ? "ready\n" : "not ready\n").ToString();
    }
}
