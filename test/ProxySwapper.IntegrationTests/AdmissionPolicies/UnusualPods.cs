using System.Text.Json.Nodes;

namespace ProxySwapper.IntegrationTests.AdmissionPolicies;

/// <summary>Pods that few people create: odd metadata, images that are none, and more of everything than usual.</summary>
internal static class UnusualPods
{
    /// <summary>Each with its name, as JSON.</summary>
    public static IEnumerable<(string Name, string Pod)> All()
    {
        yield return (
            "no metadata but a name",
            """{"metadata":{"generateName":"web-"},"spec":{"containers":[{"name":"a","image":"nginx"}]}}"""
        );
        yield return (
            "null everywhere",
            """
            {"metadata":{"name":"web","labels":null,"annotations":null},
             "spec":{"containers":[{"name":"a","image":"nginx"}],"initContainers":null,"ephemeralContainers":null,"volumes":null}}
            """
        );
        yield return ("an empty image", """{"metadata":{"name":"web"},"spec":{"containers":[{"name":"a","image":""},{"name":"b"}]}}""");
        yield return ("no containers", """{"metadata":{"name":"web"},"spec":{}}""");
        yield return ("no name of a container", """{"metadata":{"name":"web"},"spec":{"containers":[{"image":"nginx"}]}}""");
        yield return ("an image of 100 KB", Pod($"x/{new string('y', 100_000)}"));
        yield return ("an image in another script", Pod("nginx:ünï😀"));
        yield return (
            "two thousand images",
            PodGenerator.PodOf([.. Enumerable.Range(0, 2000).Select(index => $"app{index}:1")]).ToJsonString()
        );
        yield return (
            "sixty images of 1,000 characters",
            PodGenerator.PodOf([.. Enumerable.Range(0, 60).Select(index => $"{index}/{new string('a', 1000)}")]).ToJsonString()
        );
        // Annotations that just fit, in bytes and not in characters: with one more, the Pod would be refused.
        foreach (var (name, character, count) in new[] { ("ASCII", 'a', 262_100), ("three bytes", '€', 87_360) })
            yield return ($"annotations nearly too large, {name}", Annotated(new string(character, count)));
        static string Annotated(string value)
        {
            var pod = PodGenerator.PodOf(["nginx"]);
            pod["metadata"]!["annotations"] = new JsonObject { ["x"] = value };
            return pod.ToJsonString();
        }
        static string Pod(string image) => PodGenerator.PodOf([image]).ToJsonString();
    }

    /// <summary>Pods of sixty images with nearly as much beside these as the API server takes.</summary>
    public static IEnumerable<(string Name, JsonObject Pod)> Large()
    {
        yield return Case("many annotations", pod => pod["metadata"]!["annotations"] = Texts(20_000));
        yield return Case(
            "large annotations",
            pod => pod["metadata"]!["annotations"] = new JsonObject { ["x"] = new string('a', 250_000) }
        );
        yield return Case(
            "many owners",
            pod =>
                pod["metadata"]!["ownerReferences"] = new JsonArray([
                    .. Enumerable
                        .Range(0, 500)
                        .Select(index =>
                            JsonNode.Parse($$"""{"apiVersion":"apps/v1","kind":"ReplicaSet","name":"o{{index}}","uid":"{{index}}"}""")
                        ),
                ])
        );
        yield return Case(
            "many variables",
            pod => Each(pod, "env", 150, index => new JsonObject { ["name"] = $"V{index}", ["value"] = "1" })
        );
        yield return Case("many arguments", pod => Each(pod, "args", 150, index => $"--argument-{index}"));
        yield return Case("large arguments", pod => Each(pod, "args", 1, _ => new string('x', 15_000)));

        static JsonObject Texts(int count) =>
            new(Enumerable.Range(0, count).Select(index => KeyValuePair.Create($"a{index}", (JsonNode?)"")));
        static void Each(JsonObject pod, string list, int count, Func<int, JsonNode> itemOf)
        {
            foreach (var container in pod["spec"]!["containers"]!.AsArray())
                container![list] = new JsonArray([.. Enumerable.Range(0, count).Select(itemOf)]);
        }
        static (string Name, JsonObject Pod) Case(string name, Action<JsonObject> change)
        {
            var pod = PodGenerator.PodOf([.. Enumerable.Range(0, 60).Select(index => $"app{index}:1")]);
            change(pod);
            return (name, pod);
        }
    }

    /// <summary>Images with a tag, each almost as long as references can be.</summary>
    public static IReadOnlyList<string> LongImages(int count)
    {
        var (host, path, tag) = (string.Join('.', Enumerable.Repeat(new string('h', 60), 4)), new string('p', 240), new string('t', 100));
        return [.. Enumerable.Range(0, count).Select(index => $"{host}/{path}{index}:{tag}")];
    }
}
