using System.Globalization;
using System.Text.Json;
using ProxySwapper.Registry;
using ProxySwapper.Registry.Timing;

namespace ProxySwapper.Commands.Output;

/// <summary>
/// The state of <c>/populate</c> for a terminal: a summary, then what the page shows, in the page's order. What servers returned is printed
/// without control characters.
/// </summary>
internal sealed class StatusText
{
    /// <summary>The most lines of one list.</summary>
    private const int Longest = 20;

    private readonly TextWriter _output;
    private readonly StatusItem _state;

    private StatusText(TextWriter output, JsonElement state)
    {
        _output = output;
        var now = StatusItem.TimeOf(state, "now") ?? TimeProvider.System.GetUtcNow();
        _state = new StatusItem(state, now);
    }

    /// <summary>Writes the state that one replica reports.</summary>
    public static void Write(TextWriter output, JsonElement state) => new StatusText(output, state).Write();

    private void Write()
    {
        _output.WriteLine(
            Join(
                $"ProxySwapper {_state.Text("version")}".TrimEnd(),
                _state.Text("replica") is { Length: > 0 } replica ? $"replica {replica}" : "",
                _state.Text("policy") is { Length: > 0 } policy ? $"populate.policy {policy}" : "",
                $"{CountFormat.Format((long)_state.Number("known"), "image")} known downstream"
            )
        );
        _output.WriteLine(Summary());
        WriteList(
            "wouldRewrite",
            "Would be rewritten without dryRun",
            item => [$"{item.Text("image")} -> {item.Text("target")}", Seen(item)]
        );
        WriteList(
            "gated",
            "Pods waiting for an image",
            item => [$"{item.Text("namespace")}/{item.Text("pod")}", Waits(item), .. item.Texts("images")]
        );
        WriteList("running", "Being copied", item => [item.Text("target"), Progress(item), Origin(item)]);
        WriteList(
            "failed",
            "Failed, to be retried",
            item =>
                [
                    item.Text("target"),
                    StatusReason.Meaning(item.Text("reason")),
                    item.Text("reason"),
                    $"{CountFormat.Format((int)item.Number("failures"), "failure")}, next try in {item.Until("nextTry")}",
                ]
        );
        WriteList(
            "givenUp",
            "Given up",
            item =>
                [
                    item.Text("target"),
                    StatusReason.Meaning(item.Text("reason")),
                    item.Text("reason"),
                    Join($"{item.Since("at")} ago", $"{CountFormat.Format((int)item.Number("failures"), "failure")}", Origin(item)),
                ]
        );
        WriteList("queued", "Queued", item => [item.Text("target"), Join($"for {item.Since("queuedAt")}", Origin(item))]);
        WriteList("finished", "Finished", item => [item.Text("target"), $"{Result(item)}, {item.Since("at")} ago"]);
        WriteList("downstreams", "Downstream registries", item => [item.Text("registry"), Access(item), item.Text("problem")]);
        WriteList("rateLimits", "Remaining pulls", item => [item.Text("registry"), Pulls(item)]);
        WriteList(
            "claims",
            "Copies of all replicas",
            item => [item.Text("target"), Join(item.Text("holder"), item.Has("since") ? $"for {item.Since("since")}" : "")]
        );
        WriteList(
            "rules",
            "Rules",
            item =>
                [
                    $"{item.Text("match")} -> {item.Text("target")}",
                    Join(
                        item.Text("name"),
                        item.Texts("namespaces") is { Count: > 0 } namespaces ? $"in {string.Join(", ", namespaces)}" : "",
                        item.IsFalse("populate") ? "not copied" : ""
                    ),
                ]
        );
    }

    private string Summary()
    {
        var failing = _state.Items("downstreams").Where(item => item.Text("state") == "failing").Select(item => item.Text("registry"));
        string[] parts =
        [
            string.Join(", ", failing) is { Length: > 0 } registries ? $"failing: {registries}" : "",
            Count("givenUp", "image was given up", "images were given up"),
            Count("failed", "copy failed and will be retried", "copies failed and will be retried"),
            _state.IsTrue("dryRun") ? "dry run: nothing is rewritten or copied" : "",
            Count("gated", "Pod waits for an image", "Pods wait for an image"),
            Count("running", "image is being copied", "images are being copied"),
        ];
        var text = string.Join("; ", parts.Where(part => part.Length > 0));
        return text.Length == 0 ? "All is well: no Pod waits and no copy failed." : $"{char.ToUpperInvariant(text[0])}{text[1..]}.";
    }

    private string Count(string list, string one, string more) =>
        NumberOf(list) switch
        {
            0 => "",
            1 => $"1 {one}",
            var count => $"{count} {more}",
        };

    /// <summary>The number of items, of which the program sends the first ones.</summary>
    private long NumberOf(string list) => _state.Items(list).Count + (long)(_state.Item("more")?.Number(list) ?? 0);

    private void WriteList(string name, string title, Func<StatusItem, IEnumerable<string>> linesOf)
    {
        var items = _state.Items(name);
        if (items.Count == 0)
            return;
        _output.WriteLine();
        _output.WriteLine($"{title} ({NumberOf(name)})");
        foreach (var item in items.Take(Longest))
        foreach (var (index, line) in linesOf(item).Where(line => line.Length > 0).Index())
            _output.WriteLine($"{(index == 0 ? "  " : "      ")}{line}");
        if (NumberOf(name) - Math.Min(items.Count, Longest) is > 0 and var more)
            _output.WriteLine($"  and {more} more");
    }

    private string Waits(StatusItem pod)
    {
        var waited = $"for {pod.Since("since")}";
        if (_state.Item("gate") is not { } gate || StatusItem.TimeOf(pod.Json, "since") is not { } since)
            return waited;
        var left = gate.Seconds("deadlineSeconds") - (_state.Now - since);
        var then = gate.Text("onFailure") == "keep" ? "starts without it" : "starts with the original image";
        return Join(waited, left > TimeSpan.Zero ? $"{then} in {DurationFormat.Format(left)} at the latest" : "is being released");
    }

    private string Progress(StatusItem job)
    {
        var (done, total) = (job.Number("bytes"), job.Number("totalBytes"));
        var seconds = StatusItem.TimeOf(job.Json, "startedAt") is { } start ? (_state.Now - start).TotalSeconds : 0;
        var rate = seconds > 0 ? done / seconds : 0;
        return Join(
            total > 0
                ? $"{Bar(done / total)} {Math.Floor(done / total * 100):0}% of {ByteSize.Format((long)total)}"
                : "checking what is missing",
            rate > 0 ? $"{ByteSize.Format((long)rate)}/s" : "",
            rate > 0 && done < total ? $"{DurationFormat.Format(StatusItem.SpanOf((total - done) / rate))} left" : "",
            $"for {job.Since("startedAt")}"
        );
    }

    private static string Bar(double share)
    {
        const int Width = 20;
        var full = (int)(Math.Clamp(share, 0, 1) * Width);
        return $"[{new string('#', full)}{new string('-', Width - full)}]";
    }

    private static string Origin(StatusItem job) =>
        job.Text("source") is { Length: > 0 } source ? $"from {source}"
        : job.Text("kind") == "warmUp" ? "pulled through the cache"
        : "";

    private static string Seen(StatusItem item) =>
        Join(
            item.Text("rule"),
            $"seen {CountFormat.Format((int)item.Number("count"), "time")}",
            $"last in {item.Text("namespace")} {item.Since("lastSeen")} ago"
        );

    private static string Result(StatusItem item) =>
        item.Text("result") switch
        {
            "upToDate" => "was there already",
            "warmed" => "pulled through the cache",
            _ => $"{ByteSize.Format((long)item.Number("bytes"))} in {DurationFormat.Format(item.Seconds("seconds"))}",
        };

    private static string Access(StatusItem item) =>
        Join(
            item.Text("state") switch
            {
                "ok" => "responds",
                "failing" => "failing",
                "unsure" => "the last request failed",
                "unchecked" => "not checked yet",
                var other => other,
            },
            item.Text("access") switch
            {
                "granted" => "read and write access",
                "refused" => "access denied",
                _ => "",
            },
            item.Has("checkedAt") ? $"checked {item.Since("checkedAt")} ago" : ""
        );

    private static string Pulls(StatusItem item) =>
        string.Create(
            CultureInfo.InvariantCulture,
            $"{item.Number("remaining"):0}{(item.Has("limit") ? $" of {item.Number("limit"):0}" : "")} left"
        )
        + (item.Has("windowSeconds") ? $" in {DurationFormat.Format(item.Seconds("windowSeconds"))}" : "")
        + $", as of {item.Since("at")} ago";

    private static string Join(params IEnumerable<string> parts) => string.Join(", ", parts.Where(part => part.Length > 0));
}
