using System.Net;
using System.Text.Json;
using System.Text.Json.Nodes;
using ProxySwapper.Kubernetes;
using ProxySwapper.Kubernetes.Connection;
using ProxySwapper.Registry;
using ProxySwapper.Testing.Kubernetes;
using ProxySwapper.Testing.Time;

namespace ProxySwapper.IntegrationTests.Kubernetes;

/// <summary>Our API calls, on a real API server.</summary>
[TestFixture, NeedsServer]
internal sealed class KubernetesApiTests
{
    private KubeApiServer _server = null!;
    private string _namespace = null!;

    [SetUp]
    public async Task MakeNamespace()
    {
        _server = await ControlPlane.GetAsync();
        _namespace = await _server.CreateNamespaceAsync();
    }

    [Test]
    public async Task An_event_is_shown_with_its_pod_and_counts_repetitions()
    {
        await MakePodAsync("web");
        var pod = (await _server.Client.GetAsync($"/api/v1/namespaces/{_namespace}/pods/web", default))!;
        var writer = new EventWriter(_server.Client, "proxyswapper-0", TimeProvider.System);
        var subject = new EventSubject("v1", "Pod", _namespace, "web", (string?)pod["metadata"]!["uid"]);
        var path = await writer.WriteAsync(
            subject,
            new EventContent("ImagePopulateFailed", "Populate", "Copying a to b failed: " + new string('é', 2000)),
            default
        );
        Assert.That(await writer.RepeatAsync(path, 2, default), Is.True);
        Assert.That(await writer.RepeatAsync(path, 3, default), Is.True);
        Assert.That(
            await _server.KubectlAsync("-n", _namespace, "describe", "pod", "web"),
            Does.Contain("ImagePopulateFailed").And.Contain("Copying a to b failed")
        );
        Assert.That((int?)(await _server.Client.GetAsync(path, default))!["series"]!["count"], Is.EqualTo(3));
        await _server.Client.DeleteAsync(path, default);
        Assert.That(await writer.RepeatAsync(path, 4, default), Is.False);
    }

    [Test]
    public async Task A_pod_whose_name_is_as_long_as_names_may_be_gets_events()
    {
        // The Event's name begins with it, and is cut at the dash, which no name ends with.
        var subject = new EventSubject("v1", "Pod", _namespace, new string('a', 232) + "-" + new string('a', 20), null);
        var writer = new EventWriter(_server.Client, "proxyswapper-0", TimeProvider.System);
        var path = await writer.WriteAsync(subject, new EventContent("Released", "Release", "now"), default);
        Assert.That((string?)(await _server.Client.GetAsync(path, default))!["regarding"]!["name"], Is.EqualTo(subject.Name));
    }

    [Test]
    public async Task Pods_are_listed_by_label_page_by_page_without_those_that_ended()
    {
        foreach (var name in new[] { "a", "b", "c", "d", "e" })
            await MakePodAsync(name, "k8s-proxy-image-swapper=patched-image");
        await MakePodAsync("other", "app=other");
        await _server.Client.PatchAsync(
            $"/api/v1/namespaces/{_namespace}/pods/e/status",
            PatchKind.Merge,
            new JsonObject { ["status"] = new JsonObject { ["phase"] = "Succeeded" } },
            default
        );
        var names = new List<string>();
        var query = ResourceQuery.LivePods(_namespace, "k8s-proxy-image-swapper=patched-image");
        await foreach (var name in new ResourceLister(_server.Client, pageSize: 2).ListAsync(query, NameOf, default))
            names.Add(name);
        Assert.That(names, Is.EqualTo(["a", "b", "c", "d"]));
    }

    [Test]
    public async Task Pull_secrets_are_read_as_kubectl_makes_them()
    {
        await _server.KubectlAsync(
            "-n",
            _namespace,
            "create",
            "secret",
            "docker-registry",
            "key",
            "--docker-server=up.example.com",
            "--docker-username=u",
            "--docker-password=p"
        );
        await _server.KubectlWithInputAsync(
            """{"apiVersion":"v1","kind":"ServiceAccount","metadata":{"name":"runner"},"imagePullSecrets":[{"name":"key"}]}""",
            "-n",
            _namespace,
            "apply",
            "-f",
            "-"
        );
        var reader = new PullSecretReader(_server.Client);
        var names = await reader.NamesOfAccountAsync(_namespace, "runner", default);
        var config = JsonNode.Parse((await reader.DockerConfigAsync(_namespace, names.Single(), default))!);
        Assert.That((string?)config!["auths"]!["up.example.com"]!["username"], Is.EqualTo("u"));
        Assert.That(
            (await reader.NamesOfAccountAsync(_namespace, "gone", default), await reader.DockerConfigAsync(_namespace, "gone", default)),
            Is.EqualTo((Array.Empty<string>(), (string?)null))
        );
    }

    [Test]
    public async Task A_concurrently_changed_object_is_not_overwritten()
    {
        var path = $"/api/v1/namespaces/{_namespace}/configmaps";
        var made = await _server.Client.PostAsync(
            path,
            new JsonObject
            {
                ["metadata"] = new JsonObject { ["name"] = "kept" },
                ["data"] = new JsonObject { ["a"] = "1" },
            },
            default
        );
        await _server.Client.PatchAsync(
            $"{path}/kept",
            PatchKind.Json,
            new JsonArray(
                new JsonObject
                {
                    ["op"] = "replace",
                    ["path"] = "/data/a",
                    ["value"] = "2",
                }
            ),
            default
        );
        var fault = Assert.ThrowsAsync<KubernetesException>(() => _server.Client.PutAsync($"{path}/kept", made, default));
        Assert.That((fault!.Status, fault.Reason), Is.EqualTo((HttpStatusCode.Conflict, "Conflict")));
    }

    [Test]
    public async Task A_pods_own_account_is_used_in_the_cluster()
    {
        var folder = Directory.CreateTempSubdirectory("account-");
        await File.WriteAllTextAsync(Path.Combine(folder.FullName, "token"), "administrator-of-a-test");
        await File.WriteAllTextAsync(Path.Combine(folder.FullName, "namespace"), _namespace);
        File.Copy(_server.AuthorityFile, Path.Combine(folder.FullName, "ca.crt"));
        var environment = new EnvironmentVariables(
            new Dictionary<string, string>
            {
                ["KUBERNETES_SERVICE_HOST"] = _server.Address.Host,
                ["KUBERNETES_SERVICE_PORT"] = $"{_server.Address.Port}",
            }
        );
        using var client = new KubernetesClient(
            InClusterConnection.Find(environment, TimeProvider.System, folder.FullName)!,
            TimeProvider.System
        );
        var own = await client.GetAsync($"/api/v1/namespaces/{client.Namespace}", default);
        folder.Delete(recursive: true);
        Assert.That((string?)own!["metadata"]!["name"], Is.EqualTo(_namespace));
    }

    [Test]
    public async Task An_event_at_a_whole_second_is_accepted()
    {
        await MakePodAsync("web");
        var time = new ManualTimeProvider();
        var path = await new EventWriter(_server.Client, "proxyswapper-0", time).WriteAsync(
            new EventSubject("v1", "Pod", _namespace, "web", null),
            new EventContent("Released", "Release", "now"),
            default
        );
        Assert.That((string?)(await _server.Client.GetAsync(path, default))!["eventTime"], Is.EqualTo("2026-01-01T00:00:00.000000Z"));
    }

    [Test]
    public async Task A_lease_is_created_once_renewed_by_its_holder_and_removed_only_by_its_last_observer()
    {
        var leases = new LeaseClient(_server.Client);
        var instant = new DateTimeOffset(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);
        var claim = new Lease(_namespace, "claim")
        {
            HolderIdentity = "a",
            Duration = TimeSpan.FromSeconds(30),
            AcquireTime = instant,
            RenewTime = instant,
            Labels = new Dictionary<string, string> { ["app"] = "x" },
            Annotations = new Dictionary<string, string> { ["image"] = "nginx" },
        };
        var first = (await leases.TryCreateAsync(claim, default))!;
        Assert.That(await leases.TryCreateAsync(claim, default), Is.Null);
        Assert.That(
            (first.HolderIdentity, first.Duration, first.RenewTime, first.Annotations["image"]),
            Is.EqualTo(("a", claim.Duration, instant, "nginx"))
        );
        var second = (await leases.TryUpdateAsync(first with { RenewTime = instant.AddMicroseconds(1) }, default))!;
        Assert.That(second.RenewTime, Is.EqualTo(instant.AddMicroseconds(1)));
        Assert.That(await leases.TryUpdateAsync(first with { HolderIdentity = "b" }, default), Is.Null);
        Assert.That(await leases.TryDeleteAsync(first, default), Is.False);
        var listed = new List<string>();
        await foreach (var lease in leases.ListAsync(_namespace, "app=x", default))
            listed.Add(lease.Name);
        Assert.That(listed, Is.EqualTo(["claim"]));
        Assert.That(await leases.TryDeleteAsync(second, default), Is.True);
        Assert.That(await leases.TryUpdateAsync(second, default), Is.Null, "a late renewal must not bring back what was released");
        Assert.That(await leases.GetAsync(_namespace, "claim", default), Is.Null);
    }

    private static string NameOf(JsonElement pod) => pod.GetProperty("metadata").GetProperty("name").GetString()!;

    private Task<string> MakePodAsync(string name, params string[] labels) =>
        _server.KubectlAsync([
            .. new[] { "-n", _namespace, "run", name, "--image=nginx", "--restart=Never" },
            .. labels.Select(label => $"--labels={label}"),
        ]);
}
