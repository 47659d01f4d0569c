using System.Text.RegularExpressions;
using ProxySwapper.Commands.Options;
using ProxySwapper.Management;
using ProxySwapper.Testing.Documentation;
using ProxySwapper.Testing.Processes;

namespace ProxySwapper.Tests.Documentation;

/// <summary>
/// Links that leave the repository. Their sources cannot be fetched by a test; their form can be checked, and what the project itself
/// publishes is compared with the tree.
/// </summary>
[TestFixture]
internal sealed partial class ManualWebLinkTests
{
    /// <summary>Where the manual may send its readers: a new host is added here on purpose.</summary>
    private static readonly string[] Hosts =
    [
        "containerd.io",
        "github.com",
        "keepachangelog.com",
        "kind.sigs.k8s.io",
        "kubernetes.io",
        "semver.org",
    ];

    private static IReadOnlyList<(string Page, string Link)> WebLinks { get; } =
    [
        .. from page in ManualPage.All
        from link in page.Links.Concat(Automatic.Matches(page.Text).Select(match => match.Groups["target"].Value))
        where link.Contains("://", StringComparison.Ordinal)
        select (page.Path, link),
    ];

    /// <summary>The project's own addresses, those in code blocks, the chart and the program too.</summary>
    private static IEnumerable<(string Page, string Link)> OwnLinks =>
        from file in ManualPage
            .All.Select(page => (page.Path, page.Text))
            .Append((Path: "chart/Chart.yaml", Text: File.ReadAllText(SourceTree.PathOf("chart", "Chart.yaml"))))
            .Append((Path: "--help", Text: $"{ManualLink.To("README.md")} {ManualLink.To("commands.md#check")}"))
        from Match match in Own.Matches(file.Text)
        select (file.Path, match.Value);

    [Test]
    public void Every_link_to_the_web_has_a_good_form() =>
        Assert.That(
            WebLinks.Select(entry => (entry.Page, entry.Link, Fault: FaultOf(entry.Link))).Where(entry => entry.Fault is not null),
            Is.Empty
        );

    [Test]
    public void No_page_is_linked_by_two_addresses()
    {
        var several = WebLinks
            .Where(entry => !IsLocal(entry.Link))
            .Select(entry => entry.Link.Split('#')[0])
            .Distinct()
            .GroupBy(link => Version.Replace(link, "").TrimEnd('/').ToLowerInvariant())
            .Where(same => same.Count() > 1);
        Assert.That(several.SelectMany(same => same), Is.Empty);
    }

    [Test]
    public void Every_link_to_the_project_leads_to_something_that_it_has() =>
        Assert.That(OwnLinks.Where(entry => !Exists(entry.Link)).Distinct(), Is.Empty);

    [TestCase("https://github.com/a/b c", "is not an address")]
    [TestCase("http://github.com/a/b", "must be https")]
    [TestCase("https://localhost/x", "must be one of")]
    [TestCase("https://example.org/x", "must be one of")]
    [TestCase("https://github.com/a", "must be owner/repository")]
    [TestCase("https://github.com/a/b/docs/x.md", "must be owner/repository")]
    [TestCase("https://github.com/a/b.", "ends with")]
    [TestCase("https://user@github.com/a/b", "must not name a user")]
    [TestCase("https://github.com/a/b?x=1", "must not have a query")]
    [TestCase("https://github.com/a/b#", "empty anchor")]
    public void Wrong_links_are_seen(string link, string fault) => Assert.That(FaultOf(link), Does.Contain(fault));

    [TestCase("/blob/main/docs/nothing.md")]
    [TestCase("/blob/v9.9.9/docs/README.md")]
    [TestCase("/blob/main/docs/commands.md#nothing")]
    [TestCase("/releases/download/v0.1.0/proxyswapper-0.1.0-linux-mips.tar.gz")]
    [TestCase("/releases/download/v9.9.9/proxyswapper-9.9.9-linux-x64.tar.gz")]
    [TestCase("/wiki")]
    public void Links_to_what_the_project_does_not_have_are_seen(string path)
    {
        Assert.That(Exists(ManualLink.Repository + path), Is.False);
        Assert.That(OwnLinks.Count(), Is.AtLeast(5));
        Assert.That(WebLinks, Has.Count.AtLeast(10));
    }

    private static string? FaultOf(string link)
    {
        if (
            !Uri.TryCreate(link, UriKind.Absolute, out var address)
            || link.Any(character => char.IsWhiteSpace(character) || character > '~')
        )
            return "is not an address";
        if (IsLocal(link))
            return null;
        if (address.Scheme != Uri.UriSchemeHttps)
            return "must be https";
        if (address.UserInfo.Length > 0)
            return "must not name a user";
        if (address.Query.Length > 0)
            return "must not have a query";
        if (!Hosts.Contains(address.Host, StringComparer.Ordinal))
            return $"its host must be one of {string.Join(", ", Hosts)}";
        if (link.EndsWith('#'))
            return "has an empty anchor";
        if (".,;:)'\"".Contains(link[^1], StringComparison.Ordinal))
            return $"ends with {link[^1]}";
        return address.Host != "github.com" || GitHub.IsMatch(address.AbsolutePath)
            ? null
            : "must be owner/repository with nothing, /blob/REF/FILE, /tree/REF/FOLDER, /issues/N or /releases after it";
    }

    /// <summary>A forwarded port of the program, not the web.</summary>
    private static bool IsLocal(string link) => link.StartsWith("http://localhost:9090", StringComparison.Ordinal);

    private static bool Exists(string link)
    {
        var path = link[ManualLink.Repository.Length..];
        if (path.Length == 0)
            return true;
        var version = ProgramVersion.Read().Version;
        if (Download.Match(path) is { Success: true } download)
            return download.Groups["tag"].Value == $"v{version}" && PublishedFiles(version).Contains(download.Groups["file"].Value);
        if (
            Blob.Match(path) is not { Success: true } blob
            || blob.Groups["ref"].Value is var reference && reference != "main" && reference != $"v{version}"
        )
            return false;
        var file = blob.Groups["path"].Value;
        if (blob.Groups["anchor"].Value is not { Length: > 0 } anchor)
            return File.Exists(SourceTree.PathOf(file)) || Directory.Exists(SourceTree.PathOf(file));
        return ManualPage.All.FirstOrDefault(page => page.Path.Replace('\\', '/') == file) is { } target && target.Anchors.Contains(anchor);
    }

    /// <summary>What the release's workflow uploads.</summary>
    private static IEnumerable<string> PublishedFiles(string version) =>
        Platform
            .Matches(File.ReadAllText(SourceTree.PathOf(".github", "workflows", "release.yml")))
            .Select(match => match.Groups["name"].Value)
            .Select(name => $"proxyswapper-{version}-{name}.{(name.StartsWith("win-", StringComparison.Ordinal) ? "zip" : "tar.gz")}")
            .Append("SHA256SUMS")
            .Append("SHA256SUMS.sigstore.json");

    [GeneratedRegex(@"<(?<target>https?://[^>]+)>")]
    private static partial Regex Automatic { get; }

    [GeneratedRegex(@"https://github\.com/proxyswapper/proxyswapper(?![\w-])[^\s)>\]|'""`,]*")]
    private static partial Regex Own { get; }

    [GeneratedRegex(@"^/[\w.-]+/[\w.-]+(/(blob|tree)/[\w.-]+/[^\s]+|/issues/\d+|/pull/\d+|/releases(/[^\s]+)?)?$")]
    private static partial Regex GitHub { get; }

    [GeneratedRegex(@"^/releases/download/(?<tag>[^/]+)/(?<file>[^/]+)$")]
    private static partial Regex Download { get; }

    [GeneratedRegex(@"^/(blob|tree)/(?<ref>[^/]+)/(?<path>[^#]+)(#(?<anchor>.+))?$")]
    private static partial Regex Blob { get; }

    [GeneratedRegex(@"platform: (?<name>[a-z0-9-]+), optional")]
    private static partial Regex Platform { get; }

    [GeneratedRegex(@"/(blob|tree)/[^/]+")]
    private static partial Regex Version { get; }
}
