using ProxySwapper.Kubernetes;
using ProxySwapper.Testing.Time;

namespace ProxySwapper.Tests.Kubernetes;

/// <summary>A watch through the failures of API servers and networks.</summary>
[TestFixture]
internal sealed class ResourceWatcherTests : WatchFixture
{
    [Test]
    public async Task It_lists_and_then_watches_from_the_lists_version()
    {
        Server.Respond(200, List("7", "a", "b"));
        Server.RespondWithStream().Event("ADDED", "c", "8").Event("MODIFIED", "c", "9").Event("DELETED", "a", "10");
        Watch();
        await EventsAsync("ListStarted", "Added a", "Added b", "ListCompleted", "Added c", "Modified c", "Deleted a");
        Assert.That(Server.Requests, Is.EqualTo([ListRequest, WatchRequest("7", 240)]));
        Assert.That((Watcher.Status.IsConnected, Watcher.Status.Error), Is.EqualTo((true, (string?)null)));
    }

    [Test]
    public async Task A_long_list_comes_in_pages_before_the_watch()
    {
        Server.Respond(
            200,
            List("7", "a").Replace("{\"resourceVersion", "{\"continue\":\"more\",\"resourceVersion", StringComparison.Ordinal)
        );
        Server.Respond(200, List("7", "b"));
        Server.RespondWithStream();
        Watch();
        await EventsAsync("ListStarted", "Added a", "Added b", "ListCompleted");
        await RequestsAsync(ListRequest, $"GET /api/v1/pods?limit=500&continue=more&{Selection}", WatchRequest("7", 240));
    }

    [Test]
    public async Task It_continues_where_the_server_ended_the_stream()
    {
        Server.Respond(200, List("7"));
        Server.RespondWithStream().Event("ADDED", "a", "8").Event("BOOKMARK", "", "20").End();
        Server.RespondWithStream().Event("ADDED", "b", "21");
        Watch();
        await EventsAsync("ListStarted", "ListCompleted", "Added a", "Added b");
        Assert.That(Server.Requests.Skip(1), Is.EqualTo([WatchRequest("7", 240), WatchRequest("20", 240)]));
    }

    [Test]
    public async Task A_broken_stream_is_resumed_after_a_pause()
    {
        Server.Respond(200, List("7"));
        var first = Server.RespondWithStream().Event("ADDED", "a", "8");
        Server.RespondWithStream().Event("ADDED", "b", "9");
        Watch();
        await EventsAsync("ListStarted", "ListCompleted", "Added a");
        first.Write("""{"type":"ADDED","obj""").BreakOff();
        await TestWait.UntilAsync(() => !Watcher.Status.IsConnected);
        Assert.That(Watcher.Status.Error, Does.StartWith("watch pods: the response ended early"));
        await PauseAsync();
        await EventsAsync("ListStarted", "ListCompleted", "Added a", "Added b");
        Assert.That(Server.Requests.Last(), Is.EqualTo(WatchRequest("8", 240)));
        Assert.That(Watcher.Status.IsConnected, Is.True);
        Assert.That(Log.Text, Does.Contain("The watch of pods was interrupted").And.Contain("the response ended early"));
    }

    [Test]
    public async Task An_expired_version_leads_to_a_new_list_without_a_pause()
    {
        Server.Respond(200, List("7"));
        Server.RespondWithStream().Event("ADDED", "a", "8").End();
        Server.RespondWithStream().Error(410, "too old resource version: 8 (90)").End();
        Server.Respond(200, List("90", "a", "b"));
        Server.RespondWithStream();
        Watch();
        await EventsAsync("ListStarted", "ListCompleted", "Added a", "ListStarted", "Added a", "Added b", "ListCompleted");
        await TestWait.UntilAsync(() => Server.Requests.LastOrDefault() == WatchRequest("90", 240));
    }

    [Test]
    public async Task A_version_that_is_rejected_by_the_status_means_a_new_list_too()
    {
        Server.Respond(200, List("7"));
        Server.RespondWithStream().Event("ADDED", "a", "8").End();
        Server.Respond(410, """{"kind":"Status","reason":"Expired","message":"too old resource version"}""");
        Server.Respond(200, List("90", "a", "b"));
        Server.RespondWithStream();
        Watch();
        await TestWait.UntilAsync(() => Watcher.Status.Error is not null);
        await PauseAsync();
        await EventsAsync("ListStarted", "ListCompleted", "Added a", "ListStarted", "Added a", "Added b", "ListCompleted");
    }

    [Test]
    public async Task Any_other_error_event_means_a_new_list_after_a_pause()
    {
        Server.Respond(200, List("7"));
        Server.RespondWithStream().Error(504, "Too large resource version").End();
        Server.Respond(200, List("8", "a"));
        Server.RespondWithStream();
        Watch();
        await TestWait.UntilAsync(() => Watcher.Status.Error is not null);
        Assert.That(Watcher.Status, Is.EqualTo(new WatchStatus(false, Time.GetUtcNow(), "Too large resource version (code 504)")));
        await PauseAsync();
        await EventsAsync("ListStarted", "ListCompleted", "ListStarted", "Added a", "ListCompleted");
    }

    [TestCase(
        403,
        """{"kind":"Status","reason":"Forbidden","message":"pods is forbidden"}""",
        "list pods: forbidden (HTTP 403): pods is forbidden"
    )]
    [TestCase(502, "<html>", "list pods: bad gateway (HTTP 502): <html>")]
    [TestCase(200, "<html>", "list pods: the response is not a list in JSON")]
    public async Task A_failed_list_is_retried_with_growing_pauses(int status, string body, string error)
    {
        for (var i = 0; i < 3; i++)
            Server.Respond(status, body);
        Server.Respond(200, List("7", "a"));
        Server.RespondWithStream();
        Watch();
        await TestWait.UntilAsync(() => Watcher.Status.Error is not null);
        Assert.That(Watcher.Status.Error, Does.StartWith(error));
        Assert.That(Watcher.Status.IsConnected, Is.False);
        await TestWait.UntilAsync(() =>
        {
            Time.Advance(TimeSpan.FromMilliseconds(100));
            return Watcher.Status.IsConnected;
        });
        var pauses = Log.Lines.Where(line => line.Text.Contains("interrupted", StringComparison.Ordinal)).Select(PauseOf).ToList();
        Assert.That(pauses, Has.Count.EqualTo(3));
        Assert.That(pauses[0], Is.InRange(375, 625));
        Assert.That(pauses[2], Is.InRange(1500, 2500));
    }

    [Test]
    public async Task Streams_that_end_at_once_are_not_opened_without_a_pause()
    {
        Server.Respond(200, List("7"));
        Server.RespondWithStream().End();
        Server.RespondWithStream();
        Watch();
        await TestWait.UntilAsync(() => Watcher.Status.Error is not null);
        Assert.That(Watcher.Status.Error, Is.EqualTo("the server ended the stream at once"));
        Assert.That(Server.Requests, Has.Count.EqualTo(2));
        await PauseAsync();
        await TestWait.UntilAsync(() => Server.Requests.Count == 3);
    }

    [Test]
    public async Task Unconsumed_events_never_block_reading_and_lead_to_a_new_list()
    {
        Server.Respond(200, List("7"));
        var stream = Server.RespondWithStream();
        Server.Respond(200, List("100", "a", "b"));
        Server.RespondWithStream().Event("ADDED", "c", "101");
        var mayRead = new TaskCompletionSource();
        Watch(new WatchOptions { Capacity = 4 }, until: mayRead.Task);
        await TestWait.UntilAsync(() => Watcher.Status.IsConnected);
        for (var i = 0; i < 10; i++)
            stream.Event("ADDED", $"{i}", $"{i + 10}");
        await stream.Closed.WaitAsync(TimeSpan.FromMinutes(2));
        await TestWait.UntilAsync(() => !Watcher.Status.IsConnected);
        Assert.That(Watcher.Status.Error, Is.EqualTo("more than 4 events were waiting"));
        mayRead.SetResult();
        await TestWait.UntilAsync(() => Events.LastOrDefault() == "Added c");
        Assert.That(Events.TakeLast(5), Is.EqualTo(["ListStarted", "Added a", "Added b", "ListCompleted", "Added c"]));
        Assert.That(Watcher.Status.IsConnected, Is.True);
    }

    [Test]
    public async Task Everything_is_listed_again_at_intervals_and_no_stream_lasts_longer()
    {
        Server.Respond(200, List("7"));
        var stream = Server.RespondWithStream();
        Server.Respond(200, List("8", "a"));
        Server.RespondWithStream();
        Watch(new WatchOptions { ListInterval = TimeSpan.FromMinutes(1) });
        await TestWait.UntilAsync(() => Watcher.Status.IsConnected);
        Time.Advance(TimeSpan.FromMinutes(1));
        stream.End();
        await EventsAsync("ListStarted", "ListCompleted", "ListStarted", "Added a", "ListCompleted");
        await RequestsAsync(ListRequest, WatchRequest("7", 60), ListRequest, WatchRequest("8", 60));
        Assert.That(Log.Text, Does.Not.Contain("interrupted"));
    }

    [Test]
    public async Task A_stream_that_is_silent_beyond_its_timeout_is_closed()
    {
        Server.Respond(200, List("7"));
        var stream = Server.RespondWithStream();
        Server.RespondWithStream().Event("ADDED", "a", "8");
        Watch();
        await TestWait.UntilAsync(() => Watcher.Status.IsConnected);
        await Time.WaitForTimerAsync(TimeSpan.FromSeconds(270));
        Time.Advance(TimeSpan.FromSeconds(269));
        Assert.That(Watcher.Status.IsConnected, Is.True);
        Time.Advance(TimeSpan.FromSeconds(1));
        await TestWait.UntilAsync(() => !Watcher.Status.IsConnected);
        Assert.That(Watcher.Status.Error, Is.EqualTo("watch pods: no data for 270 s"));
        await stream.Closed.WaitAsync(TimeSpan.FromMinutes(2));
        await PauseAsync();
        await EventsAsync("ListStarted", "ListCompleted", "Added a");
    }

    [TestCase("<html>\n")]
    [TestCase("{}\n")]
    [TestCase("[]\n")]
    [TestCase("""{"type":"ADDED","object":3}""" + "\n")]
    public async Task A_line_that_is_not_an_event_ends_the_stream_and_is_reported(string line)
    {
        Server.Respond(200, List("7"));
        Server.RespondWithStream().Write(line);
        Watch();
        await TestWait.UntilAsync(() => Watcher.Status.Error is not null);
        Assert.That(Watcher.Status.Error, Does.StartWith("watch pods: the response is not a watch: "));
    }

    [Test]
    public async Task Events_are_found_wherever_the_stream_is_cut()
    {
        Server.Respond(200, List("7"));
        var stream = Server.RespondWithStream();
        var text = """{"type":"ADDED","object":{"metadata":{"name":"é\n","resourceVersion":"8"}}}""" + "\n\n";
        foreach (var letter in text)
            stream.Write($"{letter}");
        stream.Event("UNKNOWN", "x", "9").Event("ADDED", new string('y', 300_000), "10");
        Watch();
        await EventsAsync("ListStarted", "ListCompleted", "Added é\n", "Added " + new string('y', 300_000));
    }

    [Test]
    [Platform("Linux")]
    public async Task A_silent_connection_is_probed()
    {
        Server.Respond(200, List("7"));
        Server.RespondWithStream();
        Watch();
        await TestWait.UntilAsync(() => Watcher.Status.IsConnected);
        // The columns: number, local and remote address, state, queues, and the active timer: 02 is keep-alive.
        var remote = $":{Server.Address.Port:X4}";
        string[] sockets = [.. File.ReadLines("/proc/net/tcp"), .. File.ReadLines("/proc/net/tcp6")];
        var columns = sockets
            .Select(line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries))
            .Where(line => line[2].EndsWith(remote, StringComparison.Ordinal));
        Assert.That(columns.Select(line => line[5][..2]), Has.Member("02"));
    }

    [Test]
    public async Task Stopping_does_not_wait()
    {
        Server.Respond(200, List("7"));
        var stream = Server.RespondWithStream();
        Watch();
        await TestWait.UntilAsync(() => Watcher.Status.IsConnected);
        await Cancellation.CancelAsync();
        await Reading.WaitAsync(TimeSpan.FromMinutes(2));
        await stream.Closed.WaitAsync(TimeSpan.FromMinutes(2));
        Assert.That(Watcher.Status.IsConnected, Is.False);
    }

    private static int PauseOf((Microsoft.Extensions.Logging.LogLevel Level, string Text) line) =>
        int.Parse(line.Text.Split("retrying in ")[1].Split(' ')[0], System.Globalization.CultureInfo.InvariantCulture);
}
