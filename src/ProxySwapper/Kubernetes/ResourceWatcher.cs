using System.Globalization;
using System.Net;
using System.Runtime.CompilerServices;
using System.Text.Json;
using System.Threading.Channels;
using ProxySwapper.Kubernetes.Connection;
using ProxySwapper.Registry.Timing;

namespace ProxySwapper.Kubernetes;

/// <summary>
/// Lists objects and then watches for changes until stopped. It continues where a stream ended, lists again when the server no longer has
/// that version, when events are not consumed in time, and at intervals, and reconnects after errors. A dedicated loop reads the events
/// into a channel, since an API server closes a watch that is not read.
/// </summary>
/// <param name="client">The API server.</param>
/// <param name="query">Which objects.</param>
/// <param name="read">
/// Extracts what is needed from an object. It runs in the reading loop, so it must be fast and accept any object.
/// </param>
/// <param name="options">Timeouts and capacity.</param>
/// <param name="time">The clock.</param>
/// <param name="logger">Logs errors.</param>
internal sealed class ResourceWatcher<T>(
    KubernetesClient client,
    ResourceQuery query,
    Func<JsonElement, T> read,
    WatchOptions options,
    TimeProvider time,
    ILogger logger
)
{
    /// <summary>A stream that ends sooner than this without an event counts as failed.</summary>
    private static readonly TimeSpan ShortestStream = TimeSpan.FromSeconds(1);

    /// <summary>How much longer than requested the server may keep a stream open.</summary>
    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(30);

    private readonly ResourceLister _lister = new(client);
    private readonly SteadyClock _clock = new(time);
    private volatile WatchStatus _status = new(false, time.GetUtcNow(), null);
    private string? _version;
    private long _listedAt;
    private int _failures;

    /// <summary>Whether the watch is currently connected. Thread-safe.</summary>
    public WatchStatus Status
    {
        get
        {
            var status = _status;
            return status with { Since = _clock.ToSystemTime(status.Since) };
        }
    }

    /// <summary>
    /// Watches until cancelled; can be called once. Errors of the API server do not end it: they are logged and reported by
    /// <see cref="Status"/>.
    /// </summary>
    /// <param name="cancellationToken">Stops the watch.</param>
    public async IAsyncEnumerable<WatchEvent<T>> WatchAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var events = Channel.CreateBounded<WatchEvent<T>>(
            new BoundedChannelOptions(options.Capacity) { SingleReader = true, SingleWriter = true }
        );
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var watching = RunAsync(events.Writer, stop.Token);
        try
        {
            await foreach (var @event in events.Reader.ReadAllAsync(cancellationToken))
                yield return @event;
        }
        finally
        {
            await stop.CancelAsync();
            await watching;
        }
    }

    private async Task RunAsync(ChannelWriter<WatchEvent<T>> events, CancellationToken cancellationToken)
    {
        try
        {
            while (true)
                await FollowAsync(events, cancellationToken);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            events.Complete();
        }
        catch (Exception problem)
        {
            // A bug: the reader of the events gets the exception.
            events.Complete(problem);
        }
        finally
        {
            Disconnected(_status.Error);
        }
    }

    /// <summary>Lists if that is due, then reads one stream, then pauses if it failed.</summary>
    private async Task FollowAsync(ChannelWriter<WatchEvent<T>> events, CancellationToken cancellationToken)
    {
        string? error;
        try
        {
            var isListed = _version is null || time.GetElapsedTime(_listedAt) >= options.ListInterval;
            if (isListed)
                await ListAsync(events, cancellationToken);
            error = await StreamAsync(isListed, events, cancellationToken);
        }
        catch (Exception problem) when (problem is KubernetesException or KubernetesConnectionException)
        {
            _failures++;
            error = problem.Message;
            // API servers report an old version in the stream, but a proxy may use the status.
            if (problem is KubernetesException { Status: HttpStatusCode.Gone })
                _version = null;
        }
        if (error is null)
            return;
        Disconnected(error);
        var pause = Pause();
        WatchLog.Interrupted(logger, query.Type.Plural, (int)pause.TotalMilliseconds, error);
        if (pause > TimeSpan.Zero)
            await Task.Delay(pause, time, cancellationToken);
    }

    private async Task ListAsync(ChannelWriter<WatchEvent<T>> events, CancellationToken cancellationToken)
    {
        _version = null;
        var listedAt = time.GetTimestamp();
        await events.WriteAsync(new WatchEvent<T>(WatchEventKind.ListStarted, default), cancellationToken);
        string version;
        string? token = null;
        do
        {
            var page = new List<T>();
            (version, token) = await _lister.ReadPageAsync(query, token, read, page, cancellationToken);
            foreach (var item in page)
                await events.WriteAsync(new WatchEvent<T>(WatchEventKind.Added, item), cancellationToken);
        } while (token is not null);
        await events.WriteAsync(new WatchEvent<T>(WatchEventKind.ListCompleted, default), cancellationToken);
        (_version, _listedAt) = (version, listedAt);
    }

    /// <summary>Reads one stream.</summary>
    /// <param name="isListed">Whether everything has just been listed.</param>
    /// <param name="events">Receives its events.</param>
    /// <param name="cancellationToken">Cancels the call.</param>
    /// <returns>Why the watch was interrupted, or null if it continues.</returns>
    private async Task<string?> StreamAsync(bool isListed, ChannelWriter<WatchEvent<T>> events, CancellationToken cancellationToken)
    {
        var opened = time.GetTimestamp();
        using var response = await OpenAsync(cancellationToken);
        Connected();
        var stream = new WatchStream<T>(response, read, events, _version!);
        var end = WatchStreamEnd.Completed;
        var isGood = false;
        try
        {
            end = await stream.ReadAsync();
        }
        finally
        {
            _version = end == WatchStreamEnd.Completed ? stream.ResourceVersion : null;
            isGood = stream.HasEvents || time.GetElapsedTime(opened) >= ShortestStream;
            if (isGood)
                _failures = 0;
        }
        switch (end)
        {
            case WatchStreamEnd.Completed when isGood:
                return null;
            case WatchStreamEnd.Completed:
                _failures++;
                return "the server ended the stream at once";
            case WatchStreamEnd.Overflowed:
                return $"more than {options.Capacity} events were waiting";
            case WatchStreamEnd.Expired when !isListed:
                // A restarted server no longer has earlier versions; that is not a reason to wait.
                _failures = 0;
                return stream.Error;
            default:
                _failures++;
                return stream.Error;
        }
    }

    private Task<StreamedResponse> OpenAsync(CancellationToken cancellationToken)
    {
        var untilList = options.ListInterval - time.GetElapsedTime(_listedAt);
        var seconds = Math.Max(1, (int)Math.Min(untilList.TotalSeconds, options.StreamTimeout.TotalSeconds));
        var path = query.ToPath(
            ("watch", "true"),
            ("allowWatchBookmarks", "true"),
            ("resourceVersion", _version),
            ("timeoutSeconds", seconds.ToString(CultureInfo.InvariantCulture))
        );
        return client.OpenAsync(path, TimeSpan.FromSeconds(seconds) + Grace, cancellationToken);
    }

    /// <summary>Zero without a failure; doubles with each one, with jitter so that replicas do not reconnect all at once.</summary>
    private TimeSpan Pause()
    {
        if (_failures == 0)
            return TimeSpan.Zero;
        return Backoff.Jittered(Backoff.Doubled(options.ShortestPause, options.LongestPause, _failures - 1), Random.Shared.NextDouble);
    }

    private void Connected()
    {
        if (_status.IsConnected)
            return;
        _status = new WatchStatus(true, _clock.UtcNow, null);
        WatchLog.Connected(logger, query.Type.Plural);
    }

    private void Disconnected(string? error) =>
        _status = new WatchStatus(false, _status.IsConnected ? _clock.UtcNow : _status.Since, error);
}

/// <summary>What a watch logs.</summary>
internal static partial class WatchLog
{
    [LoggerMessage(1, LogLevel.Information, "Watching {Resource}")]
    public static partial void Connected(ILogger logger, string resource);

    [LoggerMessage(2, LogLevel.Warning, "The watch of {Resource} was interrupted, retrying in {Pause} ms: {Error}")]
    public static partial void Interrupted(ILogger logger, string resource, int pause, string error);
}

/// <summary>Whether a watch is connected.</summary>
/// <param name="IsConnected">True if everything was listed and the server is sending changes.</param>
/// <param name="Since">The time of the last change of that.</param>
/// <param name="Error">Why it is not connected, or null.</param>
internal sealed record WatchStatus(bool IsConnected, DateTimeOffset Since, string? Error);
