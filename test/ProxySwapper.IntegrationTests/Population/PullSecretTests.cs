using System.Text.Json.Nodes;
using ProxySwapper.Testing.Time;

namespace ProxySwapper.IntegrationTests.Population;

/// <summary><c>rules[].pullSecret</c> with the built program and an API server: in memory, and a real one if available.</summary>
internal sealed class PullSecretTests(object kind) : GateFixture(kind)
{
    [Test]
    public async Task A_pod_names_the_secret_and_one_that_is_missing_is_reported()
    {
        var scene = Scene;
        var (source, target) = scene.AddImage("secret", 231);
        var replica = await scene.StartReplicaAsync("populate: {pullSecrets: true}", ruleKeys: ", pullSecret: hub");
        scene.Hold();
        var pod = GateScene.Pod("first", source);
        pod["spec"]!["imagePullSecrets"] = new JsonArray(new JsonObject { ["name"] = "mine" });
        var created = await scene.CreateAsync(pod);
        Assert.That((GateScene.ImageOf(created), string.Join(',', SecretsOf(created))), Is.EqualTo((target, "mine,hub")));
        await TestWait.UntilAsync(() => replica.Log.Contains("; it is the pullSecret of ", StringComparison.Ordinal), "the warning");
        await TestWait.UntilAsync(
            async () =>
                (await replica.Management.GetStringAsync(new Uri("/metrics", UriKind.Relative))).Contains(
                    "proxyswapper_pull_secrets_missing 1",
                    StringComparison.Ordinal
                ),
            "the metric"
        );
        scene.EndHold();
        Assert.That(SecretsOf(await scene.ReleasedAsync("first")), Is.EqualTo(new[] { "mine", "hub" }));
    }

    private static IEnumerable<string> SecretsOf(JsonObject pod) =>
        pod["spec"]!["imagePullSecrets"]!.AsArray().Select(secret => (string)secret!["name"]!);
}
