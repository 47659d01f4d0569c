using System.Text.Json.Nodes;

namespace ProxySwapper.IntegrationTests.AdmissionPolicies;

/// <summary>Pods that few people create: odd metadata, invalid images, and more of everything than usual.</summary>
internal static class UnusualPods
{
    /// <summary>The names of those that no API server accepts.</summary>
    public static IReadOnlyList<string> Rejected { get; } = ["an empty image", "no containers", "no name of a container"];

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
            "sixty images of 1,000 characters",
            PodGenerator.PodOf([.. Enumerable.Range(0, 60).Select(index => $"{index}/{new string('a', 1000)}")]).ToJsonString()
        );
        // Annotations that just fit, in bytes and not in characters: with one more, the Pod would be rejected.
        foreach (var (name, character, count) in new[] { ("ASCII", 'a', 262_100), ("three bytes", '€', 87_375) })
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
        yield return ("many annotations", WithAnnotations(20_000));
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

        static void Each(JsonObject pod, string list, int count, Func<int, JsonNode> itemOf)
        {
            foreach (var container in pod["spec"]!["containers"]!.AsArray())
                container![list] = new JsonArray([.. Enumerable.Range(0, count).Select(itemOf)]);
        }
        static (string Name, JsonObject Pod) Case(string name, Action<JsonObject> change)
        {
            var pod = Sixty();
            change(pod);
            return (name, pod);
        }
    }

    /// <summary>A Pod of sixty images with this many short annotations.</summary>
    public static JsonObject WithAnnotations(int count)
    {
        var pod = Sixty();
        pod["metadata"]!["annotations"] = new JsonObject(
            Enumerable.Range(0, count).Select(index => KeyValuePair.Create($"a{index}", (JsonNode?)""))
        );
        return pod;
    }

    private static JsonObject Sixty() => PodGenerator.PodOf([.. Enumerable.Range(0, 60).Select(index => $"app{index}:1")]);

    /// <summary>Pods with this many bytes in fields of one kind, each by its name.</summary>
    public static IEnumerable<(string Name, Func<int, JsonObject> PodOf)> Heaviest()
    {
        var text = new string('x', 1000);
        yield return ("a variable", size => Heavy(pod => First(pod)["env"] = Variables(1, new string('x', size))));
        yield return ("variables", size => Heavy(pod => First(pod)["env"] = Variables(size / 1010, text)));
        yield return ("a probe", size => Heavy(pod => First(pod)["livenessProbe"] = Exec(size / 1003)));
        yield return (
            "a lifecycle hook",
            size => Heavy(pod => First(pod)["lifecycle"] = new JsonObject { ["preStop"] = Exec(size / 1003) })
        );
        yield return (
            "volumes",
            size =>
                Heavy(pod =>
                    pod["spec"]!["volumes"] = ListOf(
                        size / 1020,
                        index => new JsonObject
                        {
                            ["name"] = $"v{index}",
                            ["hostPath"] = new JsonObject { ["path"] = $"/{text}" },
                        }
                    )
                )
        );
        // Their keys are in managedFields too, which the API server then drops.
        var prefix = string.Join('.', Enumerable.Repeat(text[..62], 4));
        yield return (
            "labels",
            size =>
                Heavy(pod =>
                    pod["metadata"]!["labels"] = new JsonObject(
                        Enumerable.Range(0, size / 382).Select(index => KeyValuePair.Create($"{prefix}/{index:D63}", (JsonNode?)text[..63]))
                    )
                )
        );
        yield return (
            "finalizers",
            size => Heavy(pod => pod["metadata"]!["finalizers"] = ListOf(size / 319, index => $"{prefix}/{index:D63}"))
        );
        JsonObject First(JsonObject pod) => pod["spec"]!["containers"]![0]!.AsObject();
        JsonArray ListOf(int count, Func<int, JsonNode> itemOf) => new([.. Enumerable.Range(0, count).Select(itemOf)]);
        JsonArray Variables(int count, string value) =>
            ListOf(count, index => new JsonObject { ["name"] = $"V{index}", ["value"] = value });
        JsonObject Exec(int count) => new() { ["exec"] = new JsonObject { ["command"] = ListOf(count, _ => text) } };
    }

    /// <summary>A Pod of a hundred images with names of a hundred characters.</summary>
    public static JsonObject Heavy(Action<JsonObject> change)
    {
        var pod = PodGenerator.PodOf([.. Enumerable.Range(0, 100).Select(index => $"{new string('b', 100)}{index}")]);
        change(pod);
        return pod;
    }

    /// <summary>Images with a tag, each almost as long as references can be.</summary>
    public static IReadOnlyList<string> LongImages(int count)
    {
        var (host, path, tag) = (string.Join('.', Enumerable.Repeat(new string('h', 60), 4)), new string('p', 240), new string('t', 100));
        return [.. Enumerable.Range(0, count).Select(index => $"{host}/{path}{index}:{tag}")];
    }
}
